/**
 * What Redis does in one step, as scripts. Each touches keys of one slot only, gets all of them as KEYS, and uses neither
 * clock nor chance. They are called by digest, and sent again to a server that does not know them.
 *
 * A head is one text: `<sequence> <alarm|-> <held|->\n<state>`, and where a stream has details, another one beside it:
 * `<sequence of the append that wrote them> <details>`. `held` is what it holds in the indexes:
 * `{"k": {unique key: attempt under which it was taken}, "m": {"list\0member": 1}}`, without line breaks as all JSON.
 */
import { createHash } from 'node:crypto';

export interface Script {
  readonly source: string;
  readonly digest: string;
}

function script(source: string): Script {
  return { source, digest: createHash('sha1').update(source).digest('hex') };
}

const READ_HEAD = `
local function read(key)
  local head = redis.call('GET', key)
  if not head then return '0', '-', '-' end
  return string.match(head, '^(%d+) (%S+) ([^\\n]*)\\n')
end
local function heldOf(text)
  if text == '-' then return { k = {}, m = {} } end
  return cjson.decode(text)
end
`;

/** Moves a head to the next sequence, with a task in the outbox for what is left to do in other slots; or does nothing. */
const MOVE_HEAD = `${READ_HEAD}
local sequence, alarm, held = read(KEYS[1])
if sequence ~= ARGV[1] then return { 'conflict' } end
local following, name = ARGV[2], ARGV[3]
local freed = {}
if ARGV[9] then
  if KEYS[6] and redis.call('EXISTS', KEYS[6]) == 1 then return { 'fenced' } end
  local entries, take, release = heldOf(held), cjson.decode(ARGV[10]), cjson.decode(ARGV[11])
  local touched = {}
  for _, key in ipairs(release.k) do
    local attempt = entries.k[key]
    if attempt then
      freed[#freed + 1] = key
      freed[#freed + 1] = attempt
      entries.k[key] = nil
    end
  end
  for _, key in ipairs(take.k) do entries.k[key] = ARGV[9] end
  for _, member in ipairs(release.m) do
    entries.m[member] = nil
    touched[#touched + 1] = member
  end
  for _, member in ipairs(take.m) do
    entries.m[member] = 1
    touched[#touched + 1] = member
  end
  held = '-'
  if ARGV[6] == '1' and (next(entries.k) or next(entries.m)) then held = cjson.encode(entries) end
  if #freed > 0 or #touched > 0 then
    local row = '{"k":' .. (#freed > 0 and cjson.encode(freed) or '[]')
      .. ',"m":' .. (#touched > 0 and cjson.encode(touched) or '[]') .. '}'
    redis.call('HSET', KEYS[4], name .. ' ' .. following, row)
  end
end
if ARGV[6] == '1' then
  redis.call('SET', KEYS[1], following .. ' ' .. ARGV[5] .. ' ' .. held .. '\\n' .. ARGV[7])
  if ARGV[8] ~= '' then redis.call('SET', KEYS[5], following .. ' ' .. ARGV[8]) end
elseif sequence ~= '0' then
  redis.call('DEL', KEYS[1], KEYS[5])
end
`;

/** The alarm and the event of a stream; an entity has neither. */
const ALARM_AND_EVENT = `
local wanted = ARGV[6] == '1' and ARGV[5] or '-'
if wanted ~= alarm then
  if wanted == '-' then redis.call('ZREM', KEYS[2], name)
  else redis.call('ZADD', KEYS[2], wanted, name) end
end
redis.call('XADD', KEYS[3], '1-*', 'e', name .. ' ' .. following .. ' ' .. ARGV[4])
`;

const MOVED = `
return { 'moved', freed }
`;

/**
 * The conditional append: head, event, alarm and task in the outbox, or nothing.
 *
 * KEYS  head, alarms, log, outbox, details, [fence of the attempt]
 * ARGV  expected sequence, the one after it, name, event, alarm|-, 1 where there is a state, state, details or nothing
 *       where they stay, [attempt, {"k": [keys to take], "m": [members to enter]}, the same to let go of]
 * Returns 'conflict', 'fenced', or 'moved' and the keys really let go of with their attempts.
 */
export const APPEND = script(MOVE_HEAD + ALARM_AND_EVENT + MOVED);

/** The conditional commit of an entity: the append without alarm and event. Keys and arguments are the same. */
export const COMMIT = script(MOVE_HEAD + MOVED);

/**
 * What a head says, without its state.
 * KEYS  head
 * Returns sequence and held.
 */
export const MARK = script(`${READ_HEAD}
local sequence, _, held = read(KEYS[1])
return { sequence, held }
`);

/**
 * Calls an attempt off, unless the head holds the key by now: from here on its move cannot happen any more.
 * KEYS  head, fence of the attempt
 * ARGV  key, attempt, 1 where the same holder's own attempt alone counts, ms for which the fence stands
 * Returns 1 when the key is held, 0 when the attempt is called off.
 */
export const FENCE = script(`${READ_HEAD}
local _, _, held = read(KEYS[1])
local attempt = heldOf(held).k[ARGV[1]]
if attempt and (ARGV[3] == '0' or attempt == ARGV[2]) then return 1 end
redis.call('SET', KEYS[2], '', 'PX', ARGV[4])
return 0
`);

/**
 * Takes a task out of the outbox, if the head is still the one by which it was carried out.
 * KEYS  head, outbox
 * ARGV  sequence of the head, field of the task
 */
export const FINISH = script(`${READ_HEAD}
local sequence = read(KEYS[1])
if sequence ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[2], ARGV[2])
return 1
`);

/**
 * Compare-and-swap of a value.
 * KEYS  key
 * ARGV  1 where one is expected, that one, 1 where there is a next one, that one
 */
export const SWAP = script(`
local now = redis.call('GET', KEYS[1])
if ARGV[1] == '1' then
  if now ~= ARGV[2] then return 0 end
elseif now then return 0 end
if ARGV[3] == '1' then redis.call('SET', KEYS[1], ARGV[4])
elseif now then redis.call('DEL', KEYS[1]) end
return 1
`);

/**
 * Counts one more in a window that begins with the first.
 *
 * KEYS  counter
 * ARGV  length of a window in ms
 * Returns the count, and the milliseconds until the window ends.
 */
export const COUNT = script(`
local count = redis.call('INCRBY', KEYS[1], ARGV[2])
if count == tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return { count, redis.call('PTTL', KEYS[1]) }
`);

/**
 * Begins to lift the data of an older format, or takes that over from whoever began it.
 * KEYS  meta
 * ARGV  format that was found, what the format is called while it is lifted
 * Returns the number of the lifter, higher than any before, or 0 when the data is in another format by now.
 */
export const BEGIN_LIFT = script(`
if redis.call('HGET', KEYS[1], 'format') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'format', ARGV[2])
return redis.call('HINCRBY', KEYS[1], 'lifter', 1)
`);

/**
 * Makes a lifter the one of a partition, unless a later one is it.
 * KEYS  lifter
 * ARGV  number of the lifter
 */
export const ENTER_LIFT = script(`
if tonumber(redis.call('GET', KEYS[1]) or '0') < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end
return 1
`);

/**
 * Writes the head of an entity that a record became, unless it is there.
 * KEYS  head, lifter
 * ARGV  number of the lifter, head
 * Returns 1, or 0 when another one lifts by now, or nobody.
 */
export const LIFT_HEAD = script(`
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'NX')
return 1
`);

/**
 * Puts a lifted head in place of the one that was read.
 * KEYS  head, lifter
 * ARGV  number of the lifter, head as it was read, lifted head
 * Returns 1, or 0 when another one lifts by now, or nobody.
 */
export const REPLACE_HEAD = script(`
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
if redis.call('GET', KEYS[1]) == ARGV[2] then redis.call('SET', KEYS[1], ARGV[3]) end
return 1
`);

/**
 * Puts a lifted copy of a log in its place. Positions go on behind the last one that the log ever had.
 * KEYS  log, its copy, lifter
 * ARGV  number of the lifter, last id of the log
 * Returns 1, or 0 when another one lifts by now, or nobody.
 */
export const REPLACE_LOG = script(`
if redis.call('GET', KEYS[3]) ~= ARGV[1] then return 0 end
redis.call('XSETID', KEYS[2], ARGV[2])
redis.call('RENAME', KEYS[2], KEYS[1])
return 1
`);

/**
 * Shows that a lifter is at work.
 * KEYS  meta
 * ARGV  number of the lifter
 * Returns 1, or 0 when another one lifts by now, or nobody.
 */
export const BEAT_LIFT = script(`
if redis.call('HGET', KEYS[1], 'lifter') ~= ARGV[1] then return 0 end
redis.call('HINCRBY', KEYS[1], 'lifter-beat', 1)
return 1
`);

/**
 * Ends the lifting.
 * KEYS  meta
 * ARGV  number of the lifter, new format
 * Returns 1, or 0 when another one lifts by now, or has ended it.
 */
export const END_LIFT = script(`
if redis.call('HGET', KEYS[1], 'lifter') ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'lifter', 'lifter-beat')
redis.call('HSET', KEYS[1], 'format', ARGV[2])
return 1
`);
