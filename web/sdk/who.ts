/**
 * As which tab of which device a page speaks to a server. Each user has ids of their own, so that whoever sees them cannot
 * tell that a guest and somebody who signs in later use the same browser.
 */
import type { Environment } from "./environment.ts";
import { getOrMake, remove } from "./storage.ts";

export interface Who {
	readonly tab: string;
	readonly device: string;
}

export class Identities {
	readonly #env: Environment;
	/** Ids that could not be stored live as long as the page. */
	readonly #made = new Map<string, string>();

	constructor(env: Environment) {
		this.#env = env;
	}

	/** Of the user whose things are stored under `name`, in the page with this tab id. */
	of(name: string, page: string): Who {
		const { localStorage, sessionStorage } = this.#env;
		return {
			tab: this.#get(sessionStorage, `${name}:tab:${page}`),
			device: this.#get(localStorage, `${name}:device`),
		};
	}

	/** After a sign-out: what is left here does not say who was. */
	forget(name: string, page: string): void {
		const { localStorage, sessionStorage } = this.#env;
		for (const key of [`${name}:device`, `${name}:tab:${page}`]) {
			remove(localStorage, key);
			remove(sessionStorage, key);
			this.#made.delete(key);
		}
	}

	#get(storage: Storage | undefined, key: string): string {
		const known = this.#made.get(key) ?? getOrMake(storage, key, () => this.#env.id());
		this.#made.set(key, known);
		return known;
	}
}
