import { attempt, local, session } from "./storage.ts";

/**
 * What the SDK uses of a browser, in one place, so that a test can replace it or take it away. What is optional here may be
 * missing in a real browser too (insecure page, private mode, embedded view), and everything still works.
 */
export interface Environment {
	openSocket(url: string, protocol: string): RawSocket;
	/** 0 ≤ x < 1. */
	random(): number;
	/** Unguessable, 26 characters. */
	id(): string;
	readonly localStorage?: Storage | undefined;
	readonly sessionStorage?: Storage | undefined;
	readonly locks?: LockManager | undefined;
	readonly indexedDB?: IDBFactory | undefined;
	channel?: ((name: string) => BroadcastChannel) | undefined;
	/** Reports what happens to the page until the signal aborts. */
	watchPage(signal: AbortSignal, on: PageEvents): void;
	/** The tab is on the screen. */
	visible(): boolean;
	focused(): boolean;
	/** Calls can be hosted: a secure page with WebRTC. */
	readonly secure: boolean;
	readonly webrtc: boolean;
	readonly deviceName: string;
}

export interface PageEvents {
	/** The network is back, or the page was shown, made visible, or taken out of the cache or a freeze. */
	resumed(): void;
	/** The browser says that the network is gone. */
	offline(): void;
	/** The page is left, perhaps for good. */
	hidden(): void;
	visibilityChanged(visible: boolean): void;
}

/** The part of WebSocket that is used. */
export interface RawSocket {
	onopen: ((e: never) => void) | null;
	onmessage: ((e: { data: unknown }) => void) | null;
	onclose: ((e: { code: number; reason: string }) => void) | null;
	onerror: ((e: never) => void) | null;
	send(text: string): void;
	close(code?: number, reason?: string): void;
}

/** The browser this runs in. */
export function browser(): Environment {
	return {
		openSocket: (url, protocol) => new WebSocket(url, protocol) as RawSocket,
		random: Math.random,
		id: randomId,
		localStorage: local(),
		sessionStorage: session(),
		locks: attempt(() => globalThis.navigator?.locks),
		indexedDB: attempt(() => globalThis.indexedDB),
		channel: globalThis.BroadcastChannel && ((name) => new BroadcastChannel(name)),
		watchPage,
		visible: () => globalThis.document?.visibilityState !== "hidden",
		focused: () => globalThis.document?.hasFocus?.() ?? true,
		secure: globalThis.isSecureContext ?? false,
		webrtc: "RTCPeerConnection" in globalThis && !!globalThis.navigator?.mediaDevices,
		deviceName: nameOf(globalThis.navigator?.userAgent ?? ""),
	};
}

const letters = "abcdefghijklmnopqrstuvwxyz234567";

/** 130 random bits. `crypto.randomUUID` is missing on insecure pages. */
export function randomId(): string {
	let id = "";
	for (const byte of crypto.getRandomValues(new Uint8Array(26))) id += letters[byte & 31];
	return id;
}

function watchPage(signal: AbortSignal, on: PageEvents): void {
	if (!globalThis.addEventListener) return;
	const o = { signal };
	addEventListener("online", () => on.resumed(), o);
	addEventListener("offline", () => on.offline(), o);
	addEventListener("pageshow", () => on.resumed(), o);
	addEventListener("pagehide", () => on.hidden(), o);
	const doc = globalThis.document;
	doc?.addEventListener("resume", () => on.resumed(), o);
	doc?.addEventListener(
		"visibilitychange",
		() => {
			const visible = doc.visibilityState !== "hidden";
			on.visibilityChanged(visible);
			if (visible) on.resumed();
		},
		o,
	);
}

/** "Firefox on Windows", from the user agent; only shown to the user's own tabs. */
export function nameOf(agent: string): string {
	const find = (table: [RegExp, string][], other: string) =>
		table.find(([pattern]) => pattern.test(agent))?.[1] ?? other;
	const program = find(
		[
			[/Edg\//, "Edge"],
			[/OPR\//, "Opera"],
			[/Firefox\//, "Firefox"],
			[/Chrom(e|ium)\//, "Chrome"],
			[/Safari\//, "Safari"],
		],
		"Browser",
	);
	const system = find(
		[
			[/Android/, "Android"],
			[/iPhone|iPad/, "iOS"],
			[/Mac OS X/, "macOS"],
			[/Windows/, "Windows"],
			[/CrOS/, "ChromeOS"],
			[/Linux/, "Linux"],
		],
		"",
	);
	return system ? `${program} on ${system}` : program;
}
