/** Who the visitor is to the server: a token of the site, a stored guest, or nobody until they open the panel. */
import type { ClientOptions } from "../sdk/index.ts";
import type { Options } from "./options.ts";

export interface Identity {
	/** Popups with equal keys share one connection. */
	readonly key: unknown;
	readonly client: Pick<ClientOptions, "token" | "getToken">;
}

export function knownIdentity(server: string, options: Options): Identity | undefined {
	const { getToken, token } = options;
	if (getToken) return { key: getToken, client: { getToken } };
	if (token) return { key: token, client: { token } };
	return stored(server) ? guestIdentity(server, options) : undefined;
}

/** A guest is made at the first connection, and again only when the server no longer takes the stored one. */
export function guestIdentity(server: string, _options: Options): Identity {
	const getToken = async (signal: AbortSignal, stale?: string): Promise<string> => {
		const kept = stored(server);
		if (kept && kept !== stale) return kept;
		const made = await makeGuest(server, signal);
		store(server, made);
		return made;
	};
	return { key: "guest", client: { getToken } };
}

export function forgetGuest(server: string): void {
	try {
		localStorage.removeItem(storeKey(server));
	} catch {
		// Storage is blocked: nothing was kept.
	}
}

async function makeGuest(server: string, signal: AbortSignal): Promise<string> {
	const answer = await fetch(new URL("/api/v1/guests", server), {
		method: "POST",
		headers: { "content-type": "application/json" },
		body: "{}",
		signal,
	});
	const body: unknown = await answer.json();
	const token = typeof body === "object" && body !== null && "token" in body ? body.token : undefined;
	if (!answer.ok || typeof token !== "string") throw new Error(`no guest token: ${answer.status}`);
	return token;
}

const storeKey = (server: string) => `carillon.guest ${server}`;

// Without storage a guest lives as long as the page.
const memory = new Map<string, string>();

function stored(server: string): string | undefined {
	try {
		return localStorage.getItem(storeKey(server)) ?? memory.get(server);
	} catch {
		return memory.get(server);
	}
}

function store(server: string, token: string): void {
	memory.set(server, token);
	try {
		localStorage.setItem(storeKey(server), token);
	} catch {
		// Blocked: kept in memory.
	}
}
