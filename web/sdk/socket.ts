/**
 * One tab's WebSocket with its reconnects: does what the state machine in `connection.ts` says. It fetches tokens, says
 * hello, keeps how far the greeting has come, answers pings, renews the token in time, and connects again after every loss that
 * allows it.
 */
import { type ConnectionInput, codeLost, next } from "./connection.ts";
import { Emitter } from "./emitter.ts";
import type { Environment, RawSocket } from "./environment.ts";
import { Refusal, Unanswered } from "./errors.ts";
import { type Method, type Params, type Result, Rpc } from "./rpc.ts";
import type { Tab } from "./tab.ts";
import type { Tokens } from "./token.ts";
import type { Connection } from "./types.ts";
import { sleep } from "./wait.ts";
import type { Who } from "./who.ts";
import {
	type ClientNotes,
	CloseBadToken,
	CloseTokenExpired,
	CloseTooOld,
	type Code,
	type Ping,
	Protocol,
	type Resume,
	type ServerNotes,
	Subprotocol,
	type Synced,
	type Welcome,
} from "./wire.gen.ts";

/** What the server tells, beside what is between it and the socket. */
export type Told = Exclude<keyof ServerNotes, "ping" | "synced">;

export interface SocketEvents {
	connection: Connection;
	/** The token that hello will carry. */
	token: string;
	/** Comes before the pages of the greeting. `resumed`: they have what changed; else all that there is, from its newest end. */
	welcome: { welcome: Welcome; resumed: boolean };
	/** The greeting has ended. `all`: it had everything that changed. */
	synced: { resumed: boolean; all: boolean };
	notification: { [N in Told]: { method: N; params: ServerNotes[N] } }[Told];
	authexpired: Code | "no_token";
	error: Error;
}

/** A WebSocket that does not open, or a hello without an answer, is given up after this long. */
const greetMs = 10_000;
/** The same while a call waits for it. */
const urgentMs = 4000;
/** A probe without an answer within this long means that the WebSocket is dead. */
const probeMs = 4000;
/** How often the silence of the server is measured. */
const beatMs = 5000;

/** Not repeated after a refusal: a later request may have set something else meanwhile, which the repeat would undo. */
const setsState: ReadonlySet<Method> = new Set(["call.state", "userobject.set"]);

export interface SocketOptions {
	env: Environment;
	tokens: Tokens;
	tab: Tab;
	/** As which tab of which device the page says hello. */
	who: () => Who;
	server: string;
	deviceName: string;
	/** Client ids of messages that were sent without an answer yet. */
	pending: () => string[];
	/** How far the page knows its feeds. */
	feeds: () => Resume["feeds"];
	/** Nothing is missing of what the page was told of. */
	whole: () => boolean;
}

export class TabSocket extends Emitter<SocketEvents> {
	readonly #o: SocketOptions;
	#state: Connection = { state: "idle" };
	#rpc: Rpc | undefined;
	#raw: RawSocket | undefined;
	/** Aborts with the attempt, or with the connection that came of it. */
	#life: AbortController | undefined;
	#retry: ReturnType<typeof setTimeout> | undefined;
	/** By the server's clock: when all that had changed was here. Undefined: the next greeting begins anew. */
	#since: Pick<Resume, "at" | "opening"> | undefined;
	#greeted = false;
	#waiting = new Set<() => void>();
	/** How many beats the server has said nothing. */
	#quiet = 0;
	/** The tab hosts a leg: the server pings more often then, and its silence is noticed sooner. */
	holdsLeg = false;
	welcome: Welcome | undefined;

	constructor(o: SocketOptions) {
		super();
		this.#o = o;
	}

	get state(): Connection {
		return this.#state;
	}

	get synced(): boolean {
		return this.#state.state === "online";
	}

	get greeted(): boolean {
		return this.#greeted;
	}

	connect(): void {
		this.#step({ type: "connect" });
	}

	disconnect(): void {
		this.#step({ type: "disconnect" });
	}

	/** Another user speaks here now: what was read is not theirs, and the next hello does not resume. */
	forget(): void {
		this.#since = undefined;
	}

	/** What the page has cannot be mended, or is gone: connects again at once, and begins anew. */
	restart(): void {
		const begun = this.#life && (this.#greeted || this.#since);
		this.forget();
		if (!begun) return;
		this.disconnect();
		this.connect();
	}

	/** The page was looked at, or the network is back: connects at once, or finds out whether the WebSocket still lives. */
	reconnectNow(): void {
		if (this.#state.state === "waiting") this.#step({ type: "retry" });
		else this.probe();
	}

	/** Asks for something small: any answer proves life. Without one the WebSocket is dropped and a new one opened. */
	probe(): void {
		const rpc = this.#rpc;
		if (!rpc || !this.welcome || !this.#greeted || !this.#life) return;
		const timer = setTimeout(
			() => this.#rpc === rpc && this.#drop(codeLost, "no answer to a probe"),
			probeMs,
		);
		this.#life.signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
		rpc.ask("user.get", { user: this.welcome.user.id }, () => clearTimeout(timer));
	}

	/** Waits until the server has welcomed us, then asks. Fails with `Refusal` or `Unanswered`, or when the signal aborts. */
	async request<M extends Method>(method: M, params: Params<M>, signal?: AbortSignal): Promise<Result<M>> {
		await this.untilGreeted(signal);
		if (!this.#rpc) throw new Unanswered(method);
		return this.#rpc.request(method, params, signal);
	}

	/**
	 * For requests that may be repeated: asks again on each new connection, and when the server has refused for the moment
	 * after the time that it names, until there is an answer or a refusal for good. `passes` tells which refusals pass.
	 */
	async requestUntilAnswered<M extends Method>(
		method: M,
		params: Params<M>,
		signal?: AbortSignal,
		passes = (refused: Refusal) => refused.retryMs > 0 && !setsState.has(method),
	): Promise<Result<M>> {
		for (;;) {
			try {
				return await this.request(method, params, signal);
			} catch (err) {
				if (err instanceof Refusal && passes(err)) await sleep(err.retryMs, signal);
				else if (!(err instanceof Unanswered) || this.#state.state === "stopped") throw err;
			}
		}
	}

	untilGreeted(signal?: AbortSignal): Promise<void> {
		if (this.#greeted) return Promise.resolve();
		return new Promise((resolve, reject) => {
			if (signal?.aborted) return reject(signal.reason);
			const check = () => {
				if (this.#greeted) resolve();
				else if (this.#state.state === "stopped") reject(new Unanswered("signed out or refused"));
				else return;
				this.#waiting.delete(check);
				signal?.removeEventListener("abort", abort);
			};
			const abort = () => {
				this.#waiting.delete(check);
				reject(signal?.reason);
			};
			this.#waiting.add(check);
			signal?.addEventListener("abort", abort, { once: true });
			check();
		});
	}

	notify<N extends keyof ClientNotes>(method: N, params: ClientNotes[N]): void {
		if (this.#greeted) this.#rpc?.notify(method, params);
	}

	/** The server tells something by a call's data channel, as it does by the WebSocket. */
	tell(method: Told, params: unknown): void {
		this.emit("notification", { method, params } as SocketEvents["notification"]);
	}

	#step(m: ConnectionInput): void {
		const before = this.#state;
		const now = next(before, m);
		if (now === before) return;
		this.#state = now;
		if (
			now.state === "connecting" ||
			now.state === "waiting" ||
			now.state === "stopped" ||
			now.state === "idle"
		)
			this.#tearDown();
		if (now.state === "waiting") this.#retry = setTimeout(() => this.#step({ type: "retry" }), now.delayMs);
		if (now.state === "connecting") {
			this.#life = new AbortController();
			void this.#open(this.#life.signal);
		}
		this.emit("connection", now);
		for (const check of [...this.#waiting]) check();
	}

	#tearDown(): void {
		clearTimeout(this.#retry);
		this.#life?.abort();
		this.#life = undefined;
		this.#greeted = false;
		const raw = this.#raw;
		const rpc = this.#rpc;
		this.#raw = this.#rpc = undefined;
		if (raw) {
			raw.onopen = raw.onmessage = raw.onclose = raw.onerror = null;
			raw.close(1000);
		}
		rpc?.close();
	}

	#drop(code: number, reason: string): void {
		this.#step({ type: "lost", code, reason, random: this.#o.env.random(), urgent: this.holdsLeg });
	}

	async #open(life: AbortSignal): Promise<void> {
		const { env, tokens, tab, who, server } = this.#o;
		let token: string;
		try {
			await tab.settled();
			token = await tokens.current(life);
		} catch (err) {
			if (life.aborted) return;
			this.emit("error", err as Error);
			if (!tokens.renewable) return this.#unauthorised("no_token", CloseBadToken);
			return this.#drop(codeLost, "no token");
		}
		if (life.aborted) return;
		this.emit("token", token);

		const raw = env.openSocket(`${server.replace(/^http/, "ws")}/ws`, Subprotocol);
		const rpc = new Rpc(
			(text) => raw.send(text),
			(method, params) => this.#notification(method, params),
		);
		this.#raw = raw;
		this.#rpc = rpc;
		const late = setTimeout(() => this.#drop(codeLost, "no welcome"), this.holdsLeg ? urgentMs : greetMs);
		life.addEventListener("abort", () => clearTimeout(late), { once: true });
		raw.onmessage = (e) => {
			this.#quiet = 0;
			if (typeof e.data === "string") rpc.receive(e.data);
		};
		raw.onclose = (e) => this.#closed(e.code, e.reason);
		raw.onopen = () => {
			const since = this.#since;
			const hello = {
				token,
				protocol: Protocol,
				...who(),
				device_name: this.#o.deviceName,
				...(since && { resume: { ...since, feeds: this.#o.feeds() } }),
				pending: this.#o.pending(),
			};
			rpc.ask("hello", hello, (o) => {
				if (life.aborted) return;
				clearTimeout(late);
				if (o.ok) this.#welcomed(o.result, since !== undefined, life);
				else this.#refused(o.error);
			});
		};
	}

	#welcomed(w: Welcome, asked: boolean, life: AbortSignal): void {
		const resumed = asked && w.resumed;
		// Until all of it is here, there is nothing to resume.
		if (!resumed) this.#since = undefined;
		this.#o.tokens.taken();
		this.welcome = w;
		this.#greeted = true;
		this.#quiet = 0;
		const beat = setInterval(() => this.#beat(w.ping_ms), beatMs);
		life.addEventListener("abort", () => clearInterval(beat), { once: true });
		this.#renewIn(w.token_ms, life);
		this.#step({ type: "welcome", resumed });
		this.emit("welcome", { welcome: w, resumed });
	}

	/** Silence is counted in beats and not in time: a tab that slept does not find its WebSocket dead when it wakes. */
	#beat(pingMs: number): void {
		const allowed = this.holdsLeg ? 10_000 : pingMs + 8000;
		if (++this.#quiet * beatMs > allowed + beatMs) this.#drop(codeLost, "the server fell silent");
	}

	#refused(err: Error): void {
		if (!(err instanceof Refusal)) return this.#drop(codeLost, "no welcome");
		if (err.code === "unsupported_protocol") return this.#closed(CloseTooOld, err.message);
		if (err.code.startsWith("token_")) return this.#unauthorised(err.code, CloseBadToken);
		this.emit("error", err);
		this.#drop(codeLost, err.code);
	}

	#closed(code: number, reason: string): void {
		if (code === CloseTokenExpired) return this.#unauthorised("token_expired", code);
		if (code === CloseBadToken) return this.#unauthorised("token_malformed", code);
		this.#drop(code, reason);
	}

	/** A page that can make tokens gets one more chance with a new one before the connection stops. */
	#unauthorised(code: Code | "no_token", close: number): void {
		const again = this.#o.tokens.refused();
		if (again) return this.#drop(CloseTokenExpired, code);
		this.#drop(close === CloseTokenExpired && this.#o.tokens.renewable ? close : CloseBadToken, code);
		this.emit("authexpired", code);
	}

	/** In band, so that nothing is interrupted: with a fifth of its life left, at most two minutes before the end. */
	#renewIn(ms: number | undefined, life: AbortSignal): void {
		const { tokens } = this.#o;
		if (!ms || !tokens.renewable) return;
		// setTimeout counts in 32 bits.
		const wait = Math.min(Math.max(ms * 0.8, ms - 120_000), 2 ** 31 - 1);
		const timer = setTimeout(async () => {
			try {
				const token = await tokens.renew(life);
				const renewed = await this.requestUntilAnswered("token.renew", { token }, life);
				tokens.taken();
				this.#renewIn(renewed.token_ms, life);
			} catch (err) {
				if (!life.aborted) this.emit("error", err as Error);
			}
		}, wait);
		life.addEventListener("abort", () => clearTimeout(timer), { once: true });
	}

	#notification(method: string, params: unknown): void {
		switch (method) {
			case "ping": {
				this.#rpc?.notify("pong", {});
				const { at, opening } = params as Ping;
				if (this.synced && at && opening && this.#o.whole()) this.#since = { at, opening };
				return;
			}
			case "synced": {
				const was = this.#state;
				const { at, opening, all } = params as Synced;
				this.#since = { at, opening };
				this.#step({ type: "synced" });
				if (was.state === "syncing") this.emit("synced", { resumed: was.resumed, all });
				return;
			}
			default:
				this.tell(method as Told, params);
		}
	}
}
