/** Who this tab is. */
import type {} from "../popup/loader.ts";

export interface Identity {
	readonly token: string;
	readonly user: { readonly id: string; readonly name: string };
}

const key = "carillon.demo";

export async function signIn(user: string): Promise<Identity> {
	const answer = await fetch("/demo/token", {
		method: "POST",
		headers: { "content-type": "application/json" },
		body: JSON.stringify({ user }),
	});
	if (answer.status === 404) throw new Error("Demo sign-in is off on this server.");
	const body: unknown = await answer.json().catch(() => undefined);
	if (isIdentity(body)) return body;
	throw new Error(detailOf(body) ?? "Signing in did not work. Try again.");
}

export function readIdentity(): Identity | undefined {
	const body: unknown = JSON.parse(sessionStorage.getItem(key) ?? "null");
	return isIdentity(body) ? body : undefined;
}

export function storeIdentity(identity: Identity | undefined): void {
	if (identity) sessionStorage.setItem(key, JSON.stringify(identity));
	else sessionStorage.removeItem(key);
}

function isIdentity(body: unknown): body is Identity {
	if (typeof body !== "object" || body === null || !("token" in body) || !("user" in body)) return false;
	const { token, user } = body;
	return (
		typeof token === "string" && typeof user === "object" && user !== null && "id" in user && "name" in user
	);
}

/** What a refusal says to its reader. https://www.rfc-editor.org/rfc/rfc9457#section-3.1.4 */
function detailOf(body: unknown): string | undefined {
	return typeof body === "object" && body !== null && "detail" in body ? String(body.detail) : undefined;
}
