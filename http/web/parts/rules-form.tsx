/** The claiming rules of a profile as a form: each is as the server says, or what the profile says instead. */
import type { OWNERSHIP_CHOICES as CHOICES, OwnershipRules } from '../../../actors/device/ownership-rules.ts';
import type { Form } from '../form.ts';
import { Field } from './elements.tsx';

/** What a profile says itself, as the API shows it. */
export type OwnRules = Readonly<Record<string, unknown>>;

type WordRule = {
  readonly [Rule in keyof OwnershipRules]: (typeof CHOICES)[Rule] extends readonly string[] ? Rule : never;
}[keyof OwnershipRules];
type NumberRule = Exclude<keyof OwnershipRules, WordRule>;

interface Words<Choice extends string> {
  readonly label: string;
  readonly hint: string;
  readonly choices: Readonly<Record<Choice, string>>;
}

const WORD_RULES: { readonly [Rule in WordRule]: Words<OwnershipRules[Rule]> } = {
  claimProof: {
    label: 'Proof of possession',
    hint: 'Whether a device signs with its own key that the customer has it at hand.',
    choices: { none: 'Not used', optional: 'May be used', required: 'Needed for every claim' },
  },
  transfer: {
    label: 'Handing over',
    hint: 'Set “Never” where devices are rented.',
    choices: { never: 'Never', 'by-owner': 'An owner may hand it to another customer' },
  },
  takeOver: {
    label: 'Taking over what another customer owns',
    hint: 'For devices that are sold on without being given back.',
    choices: {
      never: 'Never',
      'after-notice': 'After a time in which the owner may object',
      'at-once': 'At once',
    },
  },
  takeOverRequires: {
    label: 'A take-over has to show',
    hint: 'What proves that somebody has the device in hand.',
    choices: { 'device-window': 'An open claim window', proof: 'A proof of possession' },
  },
  onOwnerChange: {
    label: 'Credentials when the owner changes',
    hint: 'A former owner may know the token of the device.',
    choices: {
      keep: 'They stay',
      rotate: 'The device gets new ones',
      quarantine: 'A window opened with the old ones waits for you',
    },
  },
  deviceReset: {
    label: 'A factory reset that the device tells of',
    hint: 'What becomes of its owner.',
    choices: {
      off: 'Changes nothing',
      release: 'It has no owner any more',
      'release-and-open': 'It has no owner any more, and can be claimed at once',
    },
  },
  gatewayScope: {
    label: 'A customer’s gateway speaks for',
    hint: 'Which devices it can open a claim window for.',
    choices: { own: 'Its own devices and those of its owner', tenant: 'All devices of the tenant' },
  },
};

const HOUR_MS = 3_600_000;

interface Measure {
  readonly label: string;
  readonly hint: string;
  /** What one of the form is in the rule's unit. */
  readonly unit: number;
}

const NUMBER_RULES: { readonly [Rule in NumberRule]: Measure } = {
  minSecretLength: {
    label: 'Shortest key, in characters',
    hint: 'Devices that open a window with a shorter one are refused. 0: none is needed.',
    unit: 1,
  },
  takeOverNoticeMs: {
    label: 'Time to object to a take-over, in hours',
    hint: '72 at most.',
    unit: HOUR_MS,
  },
  rotationGraceMs: {
    label: 'Time to fetch new credentials with the old ones, in hours',
    hint: 'A device that is offline longer needs you.',
    unit: HOUR_MS,
  },
};

const wordRules = Object.entries(WORD_RULES);
const numberRules = Object.entries(NUMBER_RULES);

/** @param typed shown in place of the rules: a form that was refused */
export function RulesFields({ rules, typed }: { rules: OwnRules; typed: Form | undefined }) {
  return (
    <fieldset>
      <legend>Claiming</legend>
      {wordRules.map(([rule, { label, hint, choices }]) => (
        <Choice
          name={rule}
          label={label}
          hint={hint}
          choices={Object.entries(choices)}
          value={typed?.text(rule) ?? textOf(rules[rule])}
        />
      ))}
      {numberRules.map(([rule, { label, hint, unit }]) => {
        const own = rules[rule];
        const value = typeof own === 'number' ? String(own / unit) : '';
        return (
          <Field
            name={rule}
            label={label}
            hint={`${hint} Empty: as the server says.`}
            value={typed?.text(rule) ?? value}
            inputmode="decimal"
          />
        );
      })}
    </fieldset>
  );
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : '');

interface ChoiceProps {
  readonly name: string;
  readonly label: string;
  readonly hint: string;
  readonly choices: readonly (readonly [value: string, text: string])[];
  readonly value: string;
}

function Choice({ name, label, hint, choices, value }: ChoiceProps) {
  return (
    <div class="field">
      <label for={`f-${name}`}>{label}</label>
      <select id={`f-${name}`} name={name} aria-describedby={`f-${name}-hint`}>
        <option value="">As the server says</option>
        {choices.map(([choice, text]) => (
          <option value={choice} selected={choice === value}>
            {text}
          </option>
        ))}
      </select>
      <small id={`f-${name}-hint`}>{hint}</small>
    </div>
  );
}

/** The rules that a form states, for the API, which checks them; or the label of a number that is none. */
export function rulesOf(form: Form): { readonly rules: OwnRules } | { readonly wrong: string } {
  const rules: Record<string, string | number> = {};
  for (const [rule] of wordRules) {
    const choice = form.text(rule);
    if (choice !== '') rules[rule] = choice;
  }
  for (const [rule, { label, unit }] of numberRules) {
    const typed = form.text(rule).trim().replace(',', '.');
    if (typed === '') continue;
    const value = Math.round(Number(typed) * unit);
    if (!Number.isSafeInteger(value)) return { wrong: label };
    rules[rule] = value;
  }
  return { rules };
}

/** What a profile says otherwise than the server, in a line for each. */
export function rulesInWords(rules: OwnRules): readonly string[] {
  const words = wordRules.flatMap(([rule, { label, choices }]) => {
    const chosen = Object.entries(choices).find(([choice]) => choice === rules[rule]);
    return chosen === undefined ? [] : [`${label}: ${chosen[1]}`];
  });
  const numbers = numberRules.flatMap(([rule, { label, unit }]) => {
    const own = rules[rule];
    return typeof own === 'number' ? [`${label}: ${own / unit}`] : [];
  });
  return [...words, ...numbers];
}
