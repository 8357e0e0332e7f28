/** A browser without a network, a server that a test plays by hand, and a client between them. */
import { CallStore } from "../calls/calls.ts";
import type { MakeCalls } from "../calls/context.ts";
import { TabClient } from "../client.ts";
import type { Environment, PageEvents, RawSocket } from "../environment.ts";
import type { ClientOptions } from "../types.ts";
import type {
	CallChange,
	Change,
	Frame,
	Greeting,
	Hello,
	Item,
	ItemData,
	ItemType,
	Snapshot,
	Welcome,
} from "../wire.gen.ts";
import { sample } from "./samples.ts";

export class FakeSocket implements RawSocket {
	onopen: ((e: never) => void) | null = null;
	onmessage: ((e: { data: unknown }) => void) | null = null;
	onclose: ((e: { code: number; reason: string }) => void) | null = null;
	onerror: ((e: never) => void) | null = null;
	readonly sent: Frame[] = [];
	closed = false;

	send(text: string): void {
		if (this.closed) throw new Error("closed");
		this.sent.push(JSON.parse(text) as Frame);
	}

	close(): void {
		this.closed = true;
	}

	/** What the server does. */
	say(...frames: object[]): void {
		this.onmessage?.({ data: frames.map((f) => JSON.stringify({ jsonrpc: "2.0", ...f })).join("\n") });
	}

	end(code: number, reason = ""): void {
		this.closed = true;
		this.onclose?.({ code, reason });
	}

	/** Requests and notifications of one method, in order. */
	all(method: string): Frame[] {
		return this.sent.filter((f) => f.method === method);
	}

	last(method: string): Frame {
		const f = this.all(method).at(-1);
		if (!f) throw new Error(`the client never said ${method}; it said ${this.sent.map((x) => x.method)}`);
		return f;
	}

	answer(method: string, result: object): void {
		this.say({ id: this.last(method).id, result });
	}

	refuse(method: string, code: string, retryMs = 0): void {
		const data = { code, ...(retryMs && { retry_ms: retryMs }) };
		this.say({ id: this.last(method).id, error: { code: -32000, message: code, data } });
	}
}

/** A storage. Pages of one tab share its entries, a copy of a tab begins with a copy of them. */
export class Memory implements Storage {
	readonly #entries: Map<string, string>;

	constructor(entries = new Map<string, string>()) {
		this.#entries = entries;
	}

	get length(): number {
		return this.#entries.size;
	}
	clear(): void {
		this.#entries.clear();
	}
	getItem(key: string): string | null {
		return this.#entries.get(key) ?? null;
	}
	key(n: number): string | null {
		return [...this.#entries.keys()][n] ?? null;
	}
	removeItem(key: string): void {
		this.#entries.delete(key);
	}
	setItem(key: string, value: string): void {
		this.#entries.set(key, value);
	}
}

/** One page in one browser profile. Web Locks, BroadcastChannel and IndexedDB are absent, as they may be. */
export class FakePage implements Environment {
	readonly sockets: FakeSocket[] = [];
	readonly sessionStorage: Storage = new Memory();
	readonly secure = true;
	readonly webrtc = true;
	readonly deviceName = "Test on Nothing";
	events: PageEvents | undefined;
	chance = 0;
	#ids = 0;

	constructor(readonly localStorage: Storage = new Memory()) {}

	openSocket(): RawSocket {
		const socket = new FakeSocket();
		this.sockets.push(socket);
		return socket;
	}

	random(): number {
		return this.chance;
	}

	id(): string {
		return `id-${this.sockets.length}-${++this.#ids}-padding`;
	}

	watchPage(_: AbortSignal, on: PageEvents): void {
		this.events = on;
	}

	visible(): boolean {
		return true;
	}

	focused(): boolean {
		return true;
	}

	get wire(): FakeSocket {
		const last = this.sockets.at(-1);
		if (!last) throw new Error("no socket was opened");
		return last;
	}
}

/** Lets promises run without moving the clock. */
export async function turn(): Promise<void> {
	for (let n = 0; n < 30; n++) await Promise.resolve();
}

/** A greeting as the server gives it: what the welcome says, and what is in the pages after it. */
export interface FakeGreeting
	extends Partial<Welcome>,
		Pick<Greeting, "items" | "pos" | "conversations" | "next"> {
	calls?: readonly Snapshot[];
	/** By the server's clock, when the greeting was read. */
	at?: number;
	opening?: string;
	/** It had everything that changed. */
	all?: boolean;
}

export function welcome(changes: Partial<Welcome> = {}): Welcome {
	const w = sample<{ answer: { result: Welcome } }>("request.hello").answer.result;
	return { ...w, accepted: [], resumed: false, ...changes };
}

/** What is said after the welcome, before synced. */
export function greetingPage({ items, pos, conversations, next, calls = [] }: FakeGreeting = {}): object {
	const params: Greeting = {
		...(items && { items }),
		...(pos !== undefined && { pos }),
		...(conversations && { conversations }),
		...(next !== undefined && { next }),
		calls: calls.map((call) => ({ age_ms: 0, call })),
	};
	return { method: "greeting", params };
}

export const synced = ({ at = 1000, opening = "opening-1", all = true }: FakeGreeting = {}): object => ({
	method: "synced",
	params: { at, opening, all },
});

/** The calls of a client, there from the beginning. */
export const calls: MakeCalls = (o) => new CallStore({ ...o, load: () => import("../leg/host.ts") });

/** A client of alice that has been told to connect and waits for the answer to its hello. */
export async function connect(
	page = new FakePage(),
	o: Partial<ClientOptions> = {},
	makeCalls: MakeCalls = calls,
): Promise<{ client: TabClient; page: FakePage }> {
	const client = new TabClient({ server: "http://server.test", token: "t", ...o }, page, makeCalls);
	client.connect();
	await turn();
	return { client, page };
}

/** Plays the server's side of a greeting on the newest socket, to the end or up to `synced`. */
export async function greet(page: FakePage, greeting: FakeGreeting = {}, whole = true): Promise<Hello> {
	const { items, pos, conversations, next, calls, at, opening, all, ...changes } = greeting;
	const { wire } = page;
	wire.onopen?.(undefined as never);
	await turn();
	const hello = wire.last("hello").params as Hello;
	wire.answer("hello", welcome(changes));
	wire.say(greetingPage(greeting));
	if (whole) wire.say(synced(greeting));
	await turn();
	return hello;
}

/** The sample call, alice calling bob, with changes; seen by whoever the test wants. */
export function ringing(changes: Partial<Snapshot> = {}): Snapshot {
	return { ...sample<{ params: CallChange }>("server.call").params.call, ...changes };
}

/** A tag that nobody else has made. */
let tags = 0;
export const tag = (): string => (++tags).toString(16).padStart(16, "0");

/** A change of a feed, as the server tells it. */
export function change<T extends ItemType>(feed: string, pos: number, type: T, data: ItemData[T]): object {
	return { method: "change", params: { feed, pos, tag: tag(), type, data } satisfies Change };
}

/** An item as a page has it. */
export function item<T extends ItemType>(pos: number, type: T, data: ItemData[T]): Item {
	return { pos, tag: tag(), type, data };
}

/** A feed has come to a pos. */
export const bare = (feed: string, pos: number): object => ({ method: "change", params: { feed, pos } });
