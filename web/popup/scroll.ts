/**
 * Where a transcript stands: at its end it stays there as it grows; elsewhere what is on screen stays put,
 * also when older messages come in above.
 */
import type { Log } from "./screen.ts";

/** In CSS pixels: closer than this to the end counts as the end. */
const nearEnd = 48;
/** In CSS pixels: older messages are fetched when the start of the log is this near. */
const fetchAhead = 400;

/** What scrolling asks of the element that the log is in. */
export interface ScrollOwner {
	/** What the log holds; undefined while none is on screen. */
	readonly log: Log | undefined;
	requestUpdate(): void;
	older(): Promise<void>;
	/** Another conversation is on screen. */
	began(): void;
}

export class Scroll {
	/** The newest message is in sight. */
	atEnd = true;

	readonly #owner: ScrollOwner;
	#log: HTMLElement | undefined;
	#key = "";
	#first: string | undefined; // key of the oldest row drawn
	#fromEnd = 0; // distance of the view to the end before an update
	#anchor: { readonly line: HTMLElement; readonly top: number } | undefined; // the first line on screen before it, and where it stood
	#fetching = false;
	#top = 0; // where the log stood at the last scroll
	readonly #resized = new ResizeObserver(() => this.#stayAtEnd());

	constructor(owner: ScrollOwner) {
		this.#owner = owner;
	}

	before(): void {
		const log = this.#log;
		if (!log?.isConnected) return;
		this.#fromEnd = log.scrollHeight - log.scrollTop;
		const line = this.atEnd ? undefined : firstOnScreen(log);
		this.#anchor = line && { line, top: topOf(line) - topOf(log) };
	}

	after(root: ParentNode): void {
		const log = root.querySelector<HTMLElement>(".log") ?? undefined;
		if (log !== this.#log) {
			this.#resized.disconnect();
			this.#log = log;
			this.#key = "";
			if (log) this.#resized.observe(log);
		}
		const drawn = this.#owner.log;
		if (!log || !drawn) return;
		const { key, loading } = drawn;
		const first = drawn.items.find((item) => "row" in item)?.key;
		if (key !== this.#key) {
			this.#key = key;
			this.#owner.began();
			this.#begin(log, loading);
		} else if (!this.atEnd && this.#anchor?.line.isConnected) {
			// What stands above it has grown: older messages have come, or the preview of a link.
			const moved = topOf(this.#anchor.line) - topOf(log) - this.#anchor.top;
			if (Math.abs(moved) >= 1) log.scrollTop += moved;
		} else if (first !== this.#first && this.#first !== undefined && !this.atEnd) {
			log.scrollTop = log.scrollHeight - this.#fromEnd;
		} else if (this.atEnd) {
			log.scrollTop = log.scrollHeight;
			this.#top = log.scrollTop; // a reader who scrolls up before the event of this is told from it
		}
		// A conversation that has only now loaded begins where reading stopped.
		if (this.#first === undefined && first !== undefined) {
			this.#owner.began();
			this.#begin(log, false);
		}
		this.#first = first;
	}

	readonly moved = (): void => {
		const log = this.#log;
		if (!log) return;
		const close = log.scrollHeight - log.scrollTop - log.clientHeight < nearEnd;
		// Away from the end only by scrolling up: a log that shrinks moves its end, not the reader.
		const atEnd = close || (this.atEnd && log.scrollTop >= this.#top);
		this.#top = log.scrollTop;
		if (atEnd !== this.atEnd) {
			this.atEnd = atEnd;
			this.#owner.requestUpdate();
		}
		if (log.scrollTop < fetchAhead) void this.#older();
	};

	toEnd(): void {
		const log = this.#log;
		if (!log) return;
		this.atEnd = true;
		const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
		log.scrollTo({ top: log.scrollHeight, behavior: still ? "instant" : "smooth" });
		this.#owner.requestUpdate();
	}

	/** Where reading begins: at the first unread message, else at the end. */
	#begin(log: HTMLElement, loading: boolean): void {
		const divider = loading ? null : log.querySelector<HTMLElement>(".divider");
		log.scrollTop = divider ? divider.offsetTop - 64 : log.scrollHeight;
		const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < nearEnd;
		if (atEnd !== this.atEnd) this.#owner.requestUpdate();
		this.atEnd = atEnd;
	}

	/** The log became smaller or larger: the composer grew, a call began, a keyboard came. */
	#stayAtEnd(): void {
		if (this.#log && this.atEnd) this.#log.scrollTop = this.#log.scrollHeight;
	}

	async #older(): Promise<void> {
		const drawn = this.#owner.log;
		if (this.#fetching || !drawn?.more || drawn.loading) return;
		this.#fetching = true;
		await this.#owner.older();
		this.#fetching = false;
	}
}

const topOf = (element: Element) => element.getBoundingClientRect().top;

/** The first line of a log that is not above what is on screen. */
function firstOnScreen(log: HTMLElement): HTMLElement | undefined {
	const lines = log.querySelectorAll<HTMLElement>("[data-key]");
	let from = 0;
	for (let to = lines.length; from < to; ) {
		const middle = (from + to) >> 1;
		const line = lines[middle] as HTMLElement;
		if (line.offsetTop + line.offsetHeight > log.scrollTop) to = middle;
		else from = middle + 1;
	}
	return lines[from];
}
