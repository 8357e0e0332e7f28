/**
 * One popup on a page: its place in the document, the round button, its options and its listeners.
 * All that needs the server is in other parts, which this loads when they are wanted.
 */
import { get, local } from "../sdk/storage.ts";
import { type ChatCommands, DeferredCommands } from "./commands.ts";
import { guestKey } from "./guestkey.ts";
import { whenIdle } from "./idle.ts";
import { launcherStyle } from "./launcher.css.ts";
import { type Listener, Listeners } from "./listeners.ts";
import type { Options } from "./options.ts";

export type PartName =
	/** The connection: when idle, for who is known to the server. */
	| "core"
	/** Stores and controller. */
	| "chat"
	/** What the visitor sees. */
	| "panel"
	/** The list of conversations. */
	| "list"
	| "call";

/** Parts that the loader fetches when they are wanted. */
export interface Parts {
	load<T>(part: PartName): Promise<T>;
	/** Fetches the files of a part, so that it is there at once when it is loaded. */
	preload(part: PartName): void;
}

/** What the popup asks of its chat part. */
export interface Chat extends ChatCommands {
	readonly tabId: string;
	open(): void;
	close(): void;
	/** The options have changed. */
	updated(): void;
	shutdown(p: { signOut?: boolean }): void;
	getUserObject(key: string): unknown;
	getState(): unknown;
}

/** The connection that this popup shares with others of the same user. */
export interface SharedConnection {
	readonly tabId: string;
	leave(popup: Popup): void;
}

/** Names of the button, which is there before any table of texts is. */
const names: Record<string, [open: string, close: string]> = {
	en: ["Open chat", "Close chat"],
	ar: ["فتح الدردشة", "إغلاق الدردشة"],
};

const icon = (name: string, path: string) =>
	`<svg class="${name}" viewBox="0 0 24 24" aria-hidden="true"><path d="${path}"/></svg>`;

export class Popup extends DeferredCommands {
	readonly host = document.createElement("carillon-popup");
	readonly root = this.host.attachShadow({ mode: "open" });
	readonly button = document.createElement("button");
	/** Set once the chat part is here. */
	controller: Chat | undefined;
	/** Set by the account when the popup joins it. */
	account: SharedConnection | undefined;
	options: Options;

	readonly #parts: Parts;
	readonly #count = document.createElement("span");
	readonly #listeners = new Listeners();
	readonly #dark = matchMedia("(prefers-color-scheme: dark)");
	#loading: Promise<Chat> | undefined;
	#expanded = false;
	#unread = 0;

	constructor(options: Options, parts: Parts) {
		super();
		this.options = options;
		this.#parts = parts;
		const sheet = new CSSStyleSheet();
		sheet.replaceSync(launcherStyle);
		this.root.adoptedStyleSheets = [sheet];

		const { button } = this;
		button.type = "button";
		button.className = "launcher";
		button.innerHTML =
			icon(
				"glyph-open",
				"M12 3.5c-5 0-9 3.4-9 7.7 0 2.3 1.2 4.4 3 5.8l-.6 3.7 4-1.9c.8.2 1.7.3 2.6.3 5 0 9-3.5 9-7.9s-4-7.7-9-7.7Z",
			) + icon("glyph-close", "m6 9.5 6 6 6-6");
		this.#count.className = "count";
		button.append(this.#count);
		button.setAttribute("aria-haspopup", "dialog");
		button.onclick = () => this.toggle();
		// A click begins with a hover or a focus: what is fetched now is there when the click comes.
		button.onpointerenter = button.onfocus = () => {
			this.#preloadPanel();
			void this.load().catch(() => {});
		};
		this.root.append(button);
		this.#dark.addEventListener("change", this.#draw);
		this.setUnread(0);
		this.#place();
	}

	/** A user the server can know: only then does a page connect before anyone clicks. */
	get knowsUser(): boolean {
		const { token, getToken } = this.options;
		return !!(token || getToken || get(local(), guestKey(this.server)));
	}

	get server(): string {
		return this.options.server ?? location.origin;
	}

	get locale(): string {
		const wanted = this.options.locale || document.documentElement.lang || navigator.language;
		return names[wanted.slice(0, 2)] ? wanted : "en";
	}

	get dir(): "ltr" | "rtl" {
		return this.options.dir ?? (this.locale.startsWith("ar") ? "rtl" : "ltr");
	}

	/** Of this open page, shared by all popups on it; "" before the core part is here. */
	get tabId(): string {
		return this.account?.tabId ?? this.controller?.tabId ?? "";
	}

	/** A call rings, or comes back after a reload: everything that it may need is fetched at once. */
	prepareCall(): void {
		this.#preloadPanel();
		this.#parts.preload("call");
		void this.load().catch(() => {});
	}

	/** Loads the chat part, once, and connects it with this popup. */
	override load(): Promise<Chat> {
		this.#loading ??= this.loadPart<{ attach(popup: Popup): Chat }>("chat").then(
			(chat) => {
				this.controller = chat.attach(this);
				return this.controller;
			},
			(cause) => {
				this.#loading = undefined; // the next click tries again
				const error = new Error("The chat could not be loaded. Check the connection and try again.", {
					cause,
				});
				this.emit("error", error);
				throw error;
			},
		);
		return this.#loading;
	}

	loadPart<T>(part: PartName): Promise<T> {
		return this.#parts.load(part);
	}

	// What is answered at once, from what is known so far.

	getUserObject(key: string): unknown {
		return this.controller?.getUserObject(key);
	}

	getUnread(): number {
		return this.#unread;
	}

	getState(): unknown {
		return this.controller?.getState();
	}

	/** Makes what was shut down usable again, with other options. */
	boot(options: Options = {}): void {
		this.update(options);
		if (!this.host.isConnected) this.#place();
	}

	update(options: Options): void {
		this.options = { ...this.options, ...options };
		this.#draw();
		this.controller?.updated();
	}

	toggle(): void {
		if (this.#expanded) this.close();
		else this.open();
	}

	open(): void {
		this.#preloadPanel();
		this.load().then(
			(c) => c.open(),
			() => {},
		);
	}

	close(): void {
		this.controller?.close();
	}

	setLocale(locale: string, dir?: "ltr" | "rtl"): void {
		this.update({ locale, ...(dir && { dir }) });
	}

	setTheme(theme: NonNullable<Options["theme"]>): void {
		this.update({ theme: { ...this.options.theme, ...theme } });
	}

	showLauncher(): void {
		this.update({ launcher: true });
	}

	hideLauncher(): void {
		this.update({ launcher: false });
	}

	/** Takes the popup off the page and leaves its connection. With `signOut` the stored user is forgotten. */
	shutdown(p: { signOut?: boolean } = {}): void {
		if (this.controller) this.controller.shutdown(p);
		else if (p.signOut || this.#loading) {
			// Only the chat part can sign out. One that is still being loaded has to be shut down when it is there.
			void this.load().then(
				(c) => c.shutdown(p),
				() => {},
			);
		} else this.account?.leave(this);
		this.controller = this.#loading = undefined;
		this.setExpanded(false);
		this.setUnread(0);
		this.host.remove();
	}

	on(type: string, listener: Listener): void {
		this.#listeners.add(type, listener);
		if (type === "ready" && this.host.isConnected) queueMicrotask(() => listener(undefined));
	}

	off(type: string, listener: Listener): void {
		this.#listeners.remove(type, listener);
	}

	/** To listeners, and as a DOM event of the element. */
	emit(type: string, detail?: unknown): void {
		this.#listeners.call(type, detail);
		this.host.dispatchEvent(new CustomEvent(type, { detail }));
	}

	setUnread(count: number): void {
		this.#unread = count;
		this.#count.textContent = count > 99 ? "99+" : `${count}`;
		this.#count.hidden = count === 0;
		this.#draw();
	}

	setExpanded(expanded: boolean): void {
		this.#expanded = expanded;
		this.#draw();
	}

	/** Without a destination the panel opens on the list. */
	#preloadPanel(): void {
		this.#parts.preload("panel");
		if (!this.options.destination) this.#parts.preload("list");
	}

	/** What cannot be loaded now is loaded on the first click. */
	#connect(): void {
		this.loadPart<{ attach(popup: Popup): void }>("core").then(
			(core) => {
				if (this.host.isConnected && !this.account) core.attach(this);
			},
			(cause) => this.emit("error", new Error("The chat could not be loaded.", { cause })),
		);
	}

	readonly #draw = (): void => {
		const { host, button, options } = this;
		const { theme = {}, offset = 20 } = options;
		const { x = 20, y = 20 } = typeof offset === "number" ? { x: offset, y: offset } : offset;
		const style: Record<string, string | number | undefined> = {
			"--_x": `${x}px`,
			"--_y": `${y}px`,
			"--_z": options.zIndex,
			"--carillon-accent": theme.colours?.accent,
			"--carillon-on-accent": theme.colours?.onAccent,
			"--carillon-radius": theme.radius === undefined ? undefined : `${theme.radius}px`,
			"--carillon-font": theme.font,
		};
		for (const name in style) {
			const value = style[name];
			if (value !== undefined) host.style.setProperty(name, `${value}`);
		}
		const mode = theme.mode ?? "auto";
		host.dataset.mode = mode === "auto" ? (this.#dark.matches ? "dark" : "light") : mode;
		host.dataset.side = options.position ?? "end";
		host.lang = this.locale;
		host.dir = this.dir;
		const [open, close] = names[this.locale.slice(0, 2)] ?? ["Open chat", "Close chat"];
		const { openChat = open, closeChat = close } = options.strings ?? {};
		const name = this.#expanded ? closeChat : openChat;
		// The name holds what is seen on the button, so that who speaks to the computer can say it.
		button.setAttribute("aria-label", this.#unread > 0 ? `${name} (${this.#count.textContent})` : name);
		button.setAttribute("aria-expanded", `${this.#expanded}`);
		button.hidden = options.launcher === false;
	};

	#place(): void {
		const { parent } = this.options;
		const put = () => {
			const place = typeof parent === "string" ? document.querySelector(parent) : parent;
			(place ?? document.body).append(this.host);
			this.emit("ready");
			const { autoOpen, persistOpen } = this.options;
			if (autoOpen || persistOpen) whenIdle(() => void this.load().catch(() => {}));
			else if (this.knowsUser) whenIdle(() => this.#connect());
		};
		if (document.body) put();
		else addEventListener("DOMContentLoaded", put, { once: true });
	}
}
