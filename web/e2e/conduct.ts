import { expect } from "@playwright/test";

/** What the pages of a test did that no page of ours may do: ask foreign hosts, or throw. */
export class Conduct {
	readonly #strangers: string[] = [];
	readonly #errors: string[] = [];

	/** A page that may ask these hosts asked for this URL. */
	asked(url: string, hosts: readonly string[]): void {
		const { protocol, host } = new URL(url);
		const local = ["data:", "blob:", "about:", "chrome:", "chrome-error:"].includes(protocol);
		if (!local && !hosts.includes(host)) this.#strangers.push(url);
	}

	/** A page threw this and did not catch it. */
	threw(error: unknown): void {
		this.#errors.push((error instanceof Error && error.stack) || String(error));
	}

	/** Fails the test if a page did either. */
	check(): void {
		expect(this.#strangers, "only the server is asked for anything").toEqual([]);
		expect(this.#errors, "no page throws").toEqual([]);
	}
}
