/** A style sheet, which is made when a tree first adopts it and is the same for all that do. */
export class Sheet {
	readonly #text: string;
	#made: CSSStyleSheet | undefined;

	constructor(text: string) {
		this.#text = text;
	}

	get sheet(): CSSStyleSheet {
		if (!this.#made) {
			this.#made = new CSSStyleSheet();
			this.#made.replaceSync(this.#text);
		}
		return this.#made;
	}
}

export function css([text = ""]: TemplateStringsArray): Sheet {
	return new Sheet(text);
}

/** Adds style sheets to a tree, each once. */
export function adopt(root: DocumentOrShadowRoot, styles: readonly Sheet[]): void {
	const { adoptedStyleSheets: all } = root;
	for (const { sheet } of styles) if (!all.includes(sheet)) all.push(sheet);
}
