/** Who the visitor is to the server: a token of the site, a stored guest, or nobody until they open the panel. */
import { get, local, put, remove } from "../sdk/storage.ts";
import { claims } from "../sdk/token.ts";
import type { ClientOptions } from "../sdk/types.ts";
import { guestKey } from "./guestkey.ts";
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
	return stored(server) ? guestIdentity(server) : undefined;
}

/** A guest is made at the first connection, renewed while the server knows them, and made again when it does not. */
export function guestIdentity(server: string): Identity {
	const getToken = async (signal: AbortSignal, stale?: string): Promise<string> => {
		const kept = stored(server);
		if (kept && kept !== stale && !pastHalfLife(kept)) return kept;
		const given =
			(kept && (await renewed(server, kept, kept === stale, signal))) || (await askGuest(server, {}, signal));
		if (typeof given !== "string") throw new Error(`no guest token: ${given}`);
		store(server, given);
		return given;
	};
	return { key: "guest", client: { getToken } };
}

/** The token has lived half of its time. It is renewed from then on, so that whoever comes back in time stays the same guest. */
function pastHalfLife(token: string): boolean {
	const { iat, exp } = claims(token);
	return typeof iat === "number" && typeof exp === "number" && Date.now() / 1000 > (iat + exp) / 2;
}

/**
 * A new token of the same guest; undefined when the server does not know them any more. With `refused` the server takes the old
 * token no longer; otherwise the old one is returned when no new one can be had.
 */
async function renewed(
	server: string,
	token: string,
	refused: boolean,
	signal: AbortSignal,
): Promise<string | undefined> {
	const given = await askGuest(server, { token }, signal).catch((error) => {
		if (refused) throw error;
		return 0;
	});
	if (typeof given === "string") return given;
	if (!refused) return token;
	// Too many at once, or a server that cannot answer now: the guest is still the same.
	if (given !== 401) throw new Error(`no guest token: ${given}`);
	return undefined;
}

export function forgetGuest(server: string): void {
	memory.delete(server);
	remove(local(), guestKey(server));
}

/** A token, or the status with which the server refused. */
async function askGuest(server: string, ask: object, signal: AbortSignal): Promise<string | number> {
	const answer = await fetch(new URL("/api/v1/guests", server), {
		method: "POST",
		headers: { "content-type": "application/json" },
		body: JSON.stringify(ask),
		signal,
	});
	if (!answer.ok) return answer.status;
	const body: unknown = await answer.json();
	const token = typeof body === "object" && body !== null && "token" in body ? body.token : undefined;
	return typeof token === "string" && token !== "" ? token : answer.status;
}

// Without storage a guest lives as long as the page.
const memory = new Map<string, string>();

function stored(server: string): string | undefined {
	return get(local(), guestKey(server)) ?? memory.get(server);
}

function store(server: string, token: string): void {
	memory.set(server, token);
	put(local(), guestKey(server), token);
}
