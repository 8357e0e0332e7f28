import { afterEach, expect, test, vi } from "vitest";
import { forgetGuest, guestIdentity, knownIdentity } from "./identity.ts";

afterEach(() => void vi.unstubAllGlobals());

const server = "http://server.test";
const signal = new AbortController().signal;

/** A server that makes guests, one after the other. */
function guests(): void {
	let made = 0;
	vi.stubGlobal("fetch", async () => Response.json({ token: `guest-${++made}` }));
}

/** A storage that is blocked throws when it is touched. */
function storage(blocked: boolean): void {
	const entries = new Map<string, string>();
	const local = {
		getItem: (key: string) => entries.get(key) ?? null,
		setItem: (key: string, value: string) => void entries.set(key, value),
		removeItem: (key: string) => void entries.delete(key),
	};
	Object.defineProperty(globalThis, "localStorage", {
		configurable: true,
		get: () => {
			if (blocked) throw new DOMException("blocked", "SecurityError");
			return local;
		},
	});
}

test.each([false, true])(
	"a guest stays the same until they sign out (storage blocked: %s)",
	async (blocked) => {
		guests();
		storage(blocked);
		expect(knownIdentity(server, {}), "nobody is known yet").toBeUndefined();
		const token = () => guestIdentity(server).client.getToken?.(signal);
		expect(await token()).toBe("guest-1");
		expect(await token()).toBe("guest-1");
		expect(knownIdentity(server, {})?.key).toBe("guest");
		forgetGuest(server);
		expect(knownIdentity(server, {}), "nothing is kept").toBeUndefined();
		expect(await token()).toBe("guest-2");
		forgetGuest(server);
	},
);
