import { CallStore } from "./calls/calls.ts";
import { TabClient } from "./client.ts";
import { browser } from "./environment.ts";
import type { Client, ClientOptions } from "./types.ts";

/** Makes a client. It touches no network before `connect()`. */
export function createClient(options: ClientOptions): Client {
	return new TabClient(
		options,
		browser(),
		(o) => new CallStore({ ...o, load: () => import("./leg/host.ts") }),
	);
}
