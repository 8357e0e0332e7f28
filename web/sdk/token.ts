/** Where tokens come from, and whether the current one is still good. */
export class Tokens {
	readonly #fixed: string | undefined;
	readonly #get: ((signal: AbortSignal, stale?: string) => Promise<string> | string) | undefined;
	#token: string | undefined;
	#stale: string | undefined;
	/** The token in use was fetched after the last refusal: asking again would give the same. */
	fresh = false;

	constructor(o: {
		token?: string;
		getToken?: (s: AbortSignal, stale?: string) => Promise<string> | string;
	}) {
		this.#fixed = o.token;
		this.#get = o.getToken;
		this.#token = o.token;
	}

	get renewable(): boolean {
		return this.#get !== undefined;
	}

	/** The current token, else a new one. Fails when the page has none. */
	async current(signal: AbortSignal): Promise<string> {
		return this.#token ?? (await this.renew(signal));
	}

	async renew(signal: AbortSignal): Promise<string> {
		if (!this.#get) {
			if (this.#fixed === undefined) throw new Error("neither token nor getToken was given");
			return this.#fixed;
		}
		const token = await this.#get(signal, this.#stale);
		signal.throwIfAborted();
		if (typeof token !== "string" || token === "") throw new Error("getToken gave no token");
		this.fresh = true;
		this.#token = token;
		return token;
	}

	/** The server refuses the current one. Returns whether a new one may be had. */
	refused(): boolean {
		const again = this.renewable && !this.fresh;
		this.#stale = this.#token;
		if (this.renewable) this.#token = undefined;
		this.fresh = false;
		return again;
	}

	/** The server accepted it: if it refuses it later, then because it has expired. */
	taken(): void {
		this.fresh = false;
	}
}

/** The user whom a JWT names. It serves only to find what is stored on this device; the server decides who we are. */
export function subject(token: string): string | undefined {
	const { sub } = claims(token);
	return typeof sub === "string" && sub !== "" ? sub : undefined;
}

/** The claims of a JWT, without any check; none when it cannot be read. */
export function claims(token: string): {
	readonly sub?: unknown;
	readonly iat?: unknown;
	readonly exp?: unknown;
} {
	try {
		const body = token.split(".")[1]?.replaceAll("-", "+").replaceAll("_", "/") ?? "";
		const bytes = Uint8Array.from(atob(body), (c) => c.charCodeAt(0));
		const said: unknown = JSON.parse(new TextDecoder().decode(bytes));
		return typeof said === "object" && said !== null ? said : {};
	} catch {
		return {};
	}
}
