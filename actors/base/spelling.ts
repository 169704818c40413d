/**
 * Names that look alike. A letter with an accent can be one character or two (NFC, NFD; Unicode Standard Annex #15): what is
 * typed on a phone is the former, a file name on a Mac the latter. What is copied may have characters that nobody sees, spaces
 * that do not break, or letters of full width. Names are shown as they were given, and compared without all that.
 */

/** As names are compared. ASCII, which is nearly every name, stays the same, and so does what is too long for a name. */
export function composed(text: string): string {
  if (isLeftAlone(text)) return text;
  const plain = text.replace(OF_OTHER_WIDTH, (some) => some.normalize('NFKC'));
  return plain.replace(INVISIBLE, '').replace(SPACE, ' ').normalize('NFC');
}

/**
 * The spellings under which a name takes unique keys: as it was given, as it is compared, and those that may have been given
 * before names were compared so, since nobody else's may look alike. ASCII, which is nearly every name, has one.
 */
export function spellingsOf(name: string): readonly string[] {
  if (ASCII.test(name)) return [name];
  const compared = composed(name);
  const all = [name, name.normalize('NFC'), compared, name.normalize('NFD'), compared.normalize('NFD')];
  return [...new Set(all.filter((spelling) => spelling === name || spelling.length <= NAME_CHARS_MAX))];
}

/** No longer name was ever given. Apart, one may be longer, and too long for a key of the store. */
const NAME_CHARS_MAX = 255;
/** What a character becomes at most when it is taken apart (UAX #15, on how much texts grow). */
const PARTS_MAX = 4;

/**
 * Marks are put in order in a time that grows with the square of their number, so a message full of marks where a name belongs
 * would stop the process for minutes.
 */
function isLeftAlone(text: string): boolean {
  return text.length > PARTS_MAX * NAME_CHARS_MAX || ASCII.test(text);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
const ASCII = /^[\u0000-\u007f]*$/;
/** Letters, digits and signs in the width of Chinese characters, and Japanese ones in half of it. */
const OF_OTHER_WIDTH = /[\uff01-\uffee]+/g;
const INVISIBLE = /\p{Default_Ignorable_Code_Point}+/gu;
const SPACE = /\p{Zs}/gu;

/**
 * Looks a name up: as it was given, as it is compared, and as it may have been given before names were compared so. Of two
 * names from that time that look alike, each is found by its own spelling. ASCII has one spelling.
 */
export function findSpelling<Found>(
  name: string,
  look: (spelling: string) => Promise<Found | undefined>,
): Promise<Found | undefined> {
  return isLeftAlone(name) ? look(name) : findFirst(spellingsOnceKept(name), look);
}

function spellingsOnceKept(name: string): ReadonlySet<string> {
  const compared = composed(name);
  return new Set([name, name.normalize('NFC'), name.normalize('NFD'), compared, compared.normalize('NFD')]);
}

async function findFirst<Found>(
  spellings: ReadonlySet<string>,
  look: (spelling: string) => Promise<Found | undefined>,
): Promise<Found | undefined> {
  for (const spelling of spellings) {
    const found = await look(spelling);
    if (found !== undefined) return found;
  }
  return undefined;
}
