/** The claiming rules of a profile as a form: each is as the server says, or what the profile says instead. */
import type { OWNERSHIP_CHOICES as CHOICES, OwnershipRules } from '../../../actors/device/ownership-rules.ts';
import type { Form } from '../form.ts';
import type { Locale } from '../locale.ts';
import type { TextKey } from '../texts/catalogues.ts';
import type { Say } from '../texts/say.ts';
import { Field } from './elements.tsx';

/** What a profile says itself, as the API shows it. */
export type OwnRules = Readonly<Record<string, unknown>>;

type WordRule = {
  readonly [Rule in keyof OwnershipRules]: (typeof CHOICES)[Rule] extends readonly string[] ? Rule : never;
}[keyof OwnershipRules];
type NumberRule = Exclude<keyof OwnershipRules, WordRule>;

/** None of these texts has places. */
type RuleKey = Extract<TextKey, `rules.${string}`>;

interface Words<Choice extends string> {
  readonly label: RuleKey;
  readonly hint: RuleKey;
  readonly choices: Readonly<Record<Choice, RuleKey>>;
}

const WORD_RULES: { readonly [Rule in WordRule]: Words<OwnershipRules[Rule]> } = {
  claimProof: {
    label: 'rules.claimProof',
    hint: 'rules.claimProofHint',
    choices: {
      none: 'rules.claimProofNone',
      optional: 'rules.claimProofOptional',
      required: 'rules.claimProofRequired',
    },
  },
  transfer: {
    label: 'rules.transfer',
    hint: 'rules.transferHint',
    choices: { never: 'rules.never', 'by-owner': 'rules.transferByOwner' },
  },
  takeOver: {
    label: 'rules.takeOver',
    hint: 'rules.takeOverHint',
    choices: {
      never: 'rules.never',
      'after-notice': 'rules.takeOverAfterNotice',
      'at-once': 'rules.takeOverAtOnce',
    },
  },
  takeOverRequires: {
    label: 'rules.takeOverRequires',
    hint: 'rules.takeOverRequiresHint',
    choices: { 'device-window': 'rules.takeOverRequiresWindow', proof: 'rules.takeOverRequiresProof' },
  },
  onOwnerChange: {
    label: 'rules.onOwnerChange',
    hint: 'rules.onOwnerChangeHint',
    choices: {
      keep: 'rules.onOwnerChangeKeep',
      rotate: 'rules.onOwnerChangeRotate',
      quarantine: 'rules.onOwnerChangeQuarantine',
    },
  },
  deviceReset: {
    label: 'rules.deviceReset',
    hint: 'rules.deviceResetHint',
    choices: {
      off: 'rules.deviceResetOff',
      release: 'rules.deviceResetRelease',
      'release-and-open': 'rules.deviceResetReleaseAndOpen',
    },
  },
  gatewayScope: {
    label: 'rules.gatewayScope',
    hint: 'rules.gatewayScopeHint',
    choices: { own: 'rules.gatewayScopeOwn', tenant: 'rules.gatewayScopeTenant' },
  },
};

const HOUR_MS = 3_600_000;

interface Measure {
  readonly label: RuleKey;
  readonly hint: RuleKey;
  /** What one of the form is in the rule's unit. */
  readonly unit: number;
}

const NUMBER_RULES: { readonly [Rule in NumberRule]: Measure } = {
  minSecretLength: {
    label: 'rules.minSecretLength',
    hint: 'rules.minSecretLengthHint',
    unit: 1,
  },
  takeOverNoticeMs: {
    label: 'rules.takeOverNoticeMs',
    hint: 'rules.takeOverNoticeMsHint',
    unit: HOUR_MS,
  },
  rotationGraceMs: {
    label: 'rules.rotationGraceMs',
    hint: 'rules.rotationGraceMsHint',
    unit: HOUR_MS,
  },
};

const wordRules = Object.entries(WORD_RULES);
const numberRules = Object.entries(NUMBER_RULES);

interface RulesFieldsProps {
  readonly rules: OwnRules;
  /** Shown in place of the rules: a form that was refused. */
  readonly typed: Form | undefined;
  readonly say: Say;
}

export function RulesFields({ rules, typed, say }: RulesFieldsProps) {
  return (
    <fieldset>
      <legend>{say('profiles.claiming')}</legend>
      {wordRules.map(([rule, { label, hint, choices }]) => (
        <Choice
          name={rule}
          label={say(label)}
          hint={say(hint)}
          choices={Object.entries(choices).map(([choice, text]) => [choice, say(text)] as const)}
          asServer={say('profiles.asServer')}
          value={typed?.text(rule) ?? textOf(rules[rule])}
        />
      ))}
      {numberRules.map(([rule, { label, hint, unit }]) => {
        const own = rules[rule];
        const value = typeof own === 'number' ? String(own / unit) : '';
        return (
          <Field
            name={rule}
            label={say(label)}
            hint={say('profiles.hint', { hint: say(hint) })}
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
  /** What is chosen where the profile says nothing itself. */
  readonly asServer: string;
}

function Choice({ name, label, hint, choices, value, asServer }: ChoiceProps) {
  return (
    <div class="field">
      <label for={`f-${name}`}>{label}</label>
      <select id={`f-${name}`} name={name} aria-describedby={`f-${name}-hint`}>
        <option value="">{asServer}</option>
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
export function rulesOf(form: Form, say: Say): { readonly rules: OwnRules } | { readonly wrong: string } {
  const rules: Record<string, string | number> = {};
  for (const [rule] of wordRules) {
    const choice = form.text(rule);
    if (choice !== '') rules[rule] = choice;
  }
  for (const [rule, { label, unit }] of numberRules) {
    const typed = form.text(rule).trim().replace(',', '.');
    if (typed === '') continue;
    const value = Math.round(Number(typed) * unit);
    if (!Number.isSafeInteger(value)) return { wrong: say(label) };
    rules[rule] = value;
  }
  return { rules };
}

/** What a profile says otherwise than the server, in a line for each. */
export function rulesInWords(rules: OwnRules, { say, number }: Locale): readonly string[] {
  const line = (rule: RuleKey, value: string) => say('profiles.rule', { rule: say(rule), value });
  const words = wordRules.flatMap(([rule, { label, choices }]) => {
    const chosen = Object.entries(choices).find(([choice]) => choice === rules[rule]);
    return chosen === undefined ? [] : [line(label, say(chosen[1]))];
  });
  const numbers = numberRules.flatMap(([rule, { label, unit }]) => {
    const own = rules[rule];
    return typeof own === 'number' ? [line(label, number(own / unit))] : [];
  });
  return [...words, ...numbers];
}
