import type { Client, ClientOptions } from "./types.ts";

/** Makes a client. It touches no network before `connect()`. */
export declare function createClient(options: ClientOptions): Client;
