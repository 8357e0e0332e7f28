/** Texts in the visitor's language, with what `Intl` knows about it. */
import { en, type Plural, type Strings } from "./en.ts";

type Text = { [K in keyof Strings]: Strings[K] extends string ? K : never }[keyof Strings];
type Counted = { [K in keyof Strings]: Strings[K] extends Plural ? K : never }[keyof Strings];

/** Tables beside English, loaded when asked for. */
const tables: Record<string, () => Promise<Strings>> = {
	ar: () => import("./ar.ts").then((m) => m.ar),
};

export async function wordsFor(locale: string, own: Partial<Strings> = {}): Promise<Words> {
	const table = await tables[locale.slice(0, 2)]?.();
	return new Words(locale, { ...(table ?? en), ...own });
}

export class Words {
	readonly locale: string;
	readonly strings: Strings;
	readonly #plural: Intl.PluralRules;

	constructor(locale = "en", strings: Strings = en) {
		this.locale = locale;
		this.strings = strings;
		this.#plural = new Intl.PluralRules(locale);
	}

	/** A text in which each `{name}` is replaced by the value of that name. */
	say(key: Text, values: Record<string, string> = {}): string {
		return fill(this.strings[key], values);
	}

	count(key: Counted, n: number, values: Record<string, string> = {}): string {
		const forms = this.strings[key];
		const number = new Intl.NumberFormat(this.locale).format(n);
		return fill(forms[this.#plural.select(n)] ?? forms.other, { ...values, n: number });
	}
}

export type { Counted, Plural, Strings, Text };

function fill(text: string, values: Record<string, string>): string {
	return text.replace(/\{(\w+)\}/g, (placeholder, name: string) => values[name] ?? placeholder);
}
