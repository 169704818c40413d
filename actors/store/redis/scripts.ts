/**
 * What Redis does in one step, as scripts. Each touches keys of one slot only and gets all of them as KEYS, but for `MOVE` on a
 * server that knows no slots. None uses clock or chance. They are called by digest, and sent again to a server that does not know them.
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

/**
 * Conditional appends and commits: of each head, event, alarm, index entries and task in the outbox, or nothing. Each of
 * them is a step by itself: what is wrong with one of them concerns no other.
 *
 * KEYS  of each: head, details, alarms, log, [outbox, fence of the attempt]
 * ARGV  what is in front of the names of lists where lists are changed here, too, or nothing; then of each: expected
 *       sequence, the one after it, name, entry of the log or nothing for an entity, alarm|-, 1 where there is a state,
 *       state, details or nothing where they stay, attempt or nothing, [{"k": [keys to take], "m": [members to enter]}, the
 *       same to let go of]. What is in brackets is there where there is an attempt.
 * Returns of each 'conflict', 'fenced', 'moved', or 'moved' and the keys really let go of with their attempts, or 'error' and
 *       what it was.
 */
export const MOVE = script(`${READ_HEAD}
local lists = ARGV[1]
local function listed(entry)
  local list, member = string.match(entry, '^(%Z*)%z(.*)$')
  return lists .. list, member
end

-- What changes in 'held'. Returns it as text, the keys let go of, and what is left to do in other slots.
local function reindex(held, attempt, take, release)
  local entries, freed, touched = heldOf(held), {}, {}
  for _, key in ipairs(release.k) do
    local taken = entries.k[key]
    if taken then
      freed[#freed + 1] = key
      freed[#freed + 1] = taken
      entries.k[key] = nil
    end
  end
  for _, key in ipairs(take.k) do entries.k[key] = attempt end
  for _, member in ipairs(release.m) do
    entries.m[member] = nil
    touched[#touched + 1] = member
  end
  for _, member in ipairs(take.m) do
    entries.m[member] = 1
    touched[#touched + 1] = member
  end
  if not next(entries.k) and not next(entries.m) then return '-', freed, touched end
  return cjson.encode(entries), freed, touched
end

local function enter(take, release)
  for _, entry in ipairs(release.m) do redis.call('ZREM', listed(entry)) end
  for _, entry in ipairs(take.m) do
    local list, member = listed(entry)
    redis.call('ZADD', list, 0, member)
  end
end

local function leaveTask(outbox, field, freed, touched)
  if #freed == 0 and #touched == 0 then return end
  redis.call('HSET', outbox, field, '{"k":' .. (#freed > 0 and cjson.encode(freed) or '[]')
    .. ',"m":' .. (#touched > 0 and cjson.encode(touched) or '[]') .. '}')
end

local function move(k, a)
  local sequence, alarm, held = read(KEYS[k])
  if sequence ~= ARGV[a] then return 'conflict' end
  local following, name, attempt = ARGV[a + 1], ARGV[a + 2], ARGV[a + 8]
  local hasState = ARGV[a + 5] == '1'
  local freed = {}
  if attempt ~= '' then
    if redis.call('EXISTS', KEYS[k + 5]) == 1 then return 'fenced' end
    local take, release = cjson.decode(ARGV[a + 9]), cjson.decode(ARGV[a + 10])
    local touched
    held, freed, touched = reindex(held, attempt, take, release)
    if lists ~= '' then
      enter(take, release)
      touched = {}
    end
    leaveTask(KEYS[k + 4], name .. ' ' .. following, freed, touched)
  end
  if hasState then
    redis.call('SET', KEYS[k], following .. ' ' .. ARGV[a + 4] .. ' ' .. held .. '\\n' .. ARGV[a + 6])
    if ARGV[a + 7] ~= '' then redis.call('SET', KEYS[k + 1], following .. ' ' .. ARGV[a + 7]) end
  elseif sequence ~= '0' then
    redis.call('DEL', KEYS[k], KEYS[k + 1])
  end
  if ARGV[a + 3] ~= '' then
    local wanted = hasState and ARGV[a + 4] or '-'
    if wanted ~= alarm then
      if wanted == '-' then redis.call('ZREM', KEYS[k + 2], name)
      else redis.call('ZADD', KEYS[k + 2], wanted, name) end
    end
    redis.call('XADD', KEYS[k + 3], '1-*', 'e', ARGV[a + 3])
  end
  if #freed == 0 then return 'moved' end
  return { 'moved', unpack(freed) }
end

local outcomes, k, a = {}, 1, 2
while a <= #ARGV do
  local well, outcome = pcall(move, k, a)
  if not well then outcome = { 'error', type(outcome) == 'table' and outcome.err or tostring(outcome) } end
  outcomes[#outcomes + 1] = outcome
  if ARGV[a + 8] == '' then k, a = k + 4, a + 9
  else k, a = k + 6, a + 11 end
end
return outcomes
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
