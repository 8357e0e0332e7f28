/** What is not needed to read and write is a part of its own, fetched when it is first wanted. */
export class Part<T> {
	readonly #fetch: () => Promise<T>;
	readonly #changed: () => void;
	#loading: Promise<T> | undefined;
	#content: T | undefined;
	#failed = false;

	/** `changed`: the part has come, or could not be fetched. */
	constructor(fetch: () => Promise<T>, changed: () => void) {
		this.#fetch = fetch;
		this.#changed = changed;
	}

	/** What the part has, once it is here. */
	get content(): T | undefined {
		return this.#content;
	}

	/** It could not be fetched, and nobody has tried again. */
	get failed(): boolean {
		return this.#failed;
	}

	load(): Promise<T> {
		this.#loading ??= this.#fetch().then(
			(content) => {
				this.#content = content;
				this.#changed();
				return content;
			},
			(error) => {
				this.#loading = undefined;
				this.#failed = true;
				this.#changed();
				throw error;
			},
		);
		this.#failed = false;
		return this.#loading;
	}
}
