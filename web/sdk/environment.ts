/**
 * What the SDK uses of a browser, in one place, so that a test can own it or take it away. Everything optional here may
 * be missing in a real browser too (insecure page, private mode, embedded view) and everything still works.
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
	/** Page life: `hurry` covers online, visible, pageshow and resume. */
	life(signal: AbortSignal, on: Life): void;
	/** The tab is on the screen. */
	visible(): boolean;
	focused(): boolean;
	/** Calls can be hosted: a secure page with WebRTC. */
	readonly secure: boolean;
	readonly webrtc: boolean;
	readonly deviceName: string;
}

export interface Life {
	hurry(): void;
	/** The network went away, says the browser. */
	doubt(): void;
	/** The page goes, perhaps for good. */
	hide(): void;
	visibility(visible: boolean): void;
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
		localStorage: attempt(() => globalThis.localStorage),
		sessionStorage: attempt(() => globalThis.sessionStorage),
		locks: attempt(() => globalThis.navigator?.locks),
		indexedDB: attempt(() => globalThis.indexedDB),
		channel: globalThis.BroadcastChannel && ((name) => new BroadcastChannel(name)),
		life,
		visible: () => globalThis.document?.visibilityState !== "hidden",
		focused: () => globalThis.document?.hasFocus?.() ?? true,
		secure: globalThis.isSecureContext ?? false,
		webrtc: "RTCPeerConnection" in globalThis && !!globalThis.navigator?.mediaDevices,
		deviceName: nameOf(globalThis.navigator?.userAgent ?? ""),
	};
}

const letters = "abcdefghijklmnopqrstuvwxyz234567";

/** 130 bits. Not `crypto.randomUUID`, which insecure pages lack. */
export function randomId(): string {
	let id = "";
	for (const byte of crypto.getRandomValues(new Uint8Array(26))) id += letters[byte & 31];
	return id;
}

/** Reading a storage throws where the user blocked it. */
function attempt<T>(get: () => T | undefined): T | undefined {
	try {
		return get() ?? undefined;
	} catch {
		return undefined;
	}
}

function life(signal: AbortSignal, on: Life): void {
	if (!globalThis.addEventListener) return;
	const o = { signal };
	addEventListener("online", () => on.hurry(), o);
	addEventListener("offline", () => on.doubt(), o);
	addEventListener("pageshow", () => on.hurry(), o);
	addEventListener("pagehide", () => on.hide(), o);
	const doc = globalThis.document;
	doc?.addEventListener("resume", () => on.hurry(), o);
	doc?.addEventListener(
		"visibilitychange",
		() => {
			const visible = doc.visibilityState !== "hidden";
			on.visibility(visible);
			if (visible) on.hurry();
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
