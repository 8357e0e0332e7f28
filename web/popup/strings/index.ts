/** Texts in the visitor's language, with what `Intl` knows about it. */
import { en, type Plural, type Strings } from "./en.ts";

type Text = { [K in keyof Strings]: Strings[K] extends string ? K : never }[keyof Strings];
type Counted = { [K in keyof Strings]: Strings[K] extends Plural ? K : never }[keyof Strings];

/** Whoever has a name on screen. */
export interface Named {
	readonly name: string;
	readonly guest?: boolean | undefined;
}

/** What there is to say in English, as far as the parts that say it have come. */
const english: Partial<Strings> = { ...en };

/** A part brings its own English. */
export function addEnglish(more: Partial<Strings>): void {
	Object.assign(english, more);
}

/** Tables beside English, loaded when asked for. Each has all that any part says. */
const tables: Record<string, () => Promise<Strings>> = {
	ar: () => import("./ar.ts").then((m) => m.ar),
};

export async function wordsFor(locale: string, own: Partial<Strings> = {}): Promise<Words> {
	const table = await tables[locale.slice(0, 2)]?.();
	return new Words(locale, { ...table, ...own });
}

export class Words {
	readonly locale: string;
	/** What is not said in English, or not in ours. */
	readonly #own: Partial<Strings>;
	readonly #plural: Intl.PluralRules;

	constructor(locale = "en", own: Partial<Strings> = {}) {
		this.locale = locale;
		this.#own = own;
		this.#plural = new Intl.PluralRules(locale);
	}

	/** A text in which each `{name}` is replaced by the value of that name, isolated. */
	say(key: Text, values: Record<string, string> = {}): string {
		return this.#fill(this.#text(key) ?? "", values);
	}

	count(key: Counted, n: number, values: Record<string, string> = {}): string {
		const forms = this.#text(key);
		const number = new Intl.NumberFormat(this.locale).format(n);
		return this.#fill(forms?.[this.#plural.select(n)] ?? forms?.other ?? "", { ...values, n: number });
	}

	/** What somebody is called in a text. A guest chose the name, and nobody vouches for it. */
	called({ name, guest }: Named): string {
		// One is called as what they are, or was marked by the server for taking the name of a user.
		const marked = name === this.#text("guest") || name.endsWith(" (guest)");
		return guest && !marked ? this.say("guestName", { name }) : name;
	}

	/** Names beside each other, as one text. */
	list(people: readonly Named[]): string {
		const names = people.map((p) => this.#isolate(this.called(p)));
		return new Intl.ListFormat(this.locale, { type: "unit", style: "short" }).format(names);
	}

	/** There is something to say under this name. */
	has(key: string): key is Text {
		return this.#text(key as Text) !== undefined;
	}

	#text<K extends keyof Strings>(key: K): Strings[K] | undefined {
		return this.#own[key] ?? english[key];
	}

	#fill(text: string, values: Record<string, string>): string {
		return text.replace(/\{(\w+)\}/g, (placeholder, name: string) => {
			const value = values[name];
			return value === undefined ? placeholder : this.#isolate(value);
		});
	}

	/**
	 * Between FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE, so that a value turns neither the sentence around it nor is
	 * turned by that. A value that is written as the language is needs none, and stays as it is for those who look for it.
	 */
	#isolate(value: string): string {
		return rightToLeft.has(this.locale.slice(0, 2)) || turns.test(value) ? `\u2068${value}\u2069` : value;
	}
}

export type { Counted, Plural, Strings, Text };

/** Languages of our own tables, and those that a site may bring. */
const rightToLeft: ReadonlySet<string> = new Set(["ar", "fa", "he", "ur"]);

/** Letters that are written from right to left, Arabic digits, and controls of direction. */
const turns =
	/[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
