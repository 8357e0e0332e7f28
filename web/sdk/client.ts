/** One user in one tab: joins the connection with the stores. */
import { CallStore } from "./calls/calls.ts";
import { ConversationStore } from "./conversations.ts";
import { Emitter } from "./emitter.ts";
import { browser, type Environment } from "./environment.ts";
import { Refusal, Unanswered } from "./errors.ts";
import { Inbox } from "./inbox.ts";
import { MessageStore } from "./messages.ts";
import { ObjectStore } from "./objects.ts";
import type { Waiting } from "./outbox.db.ts";
import { Outbox } from "./outbox.ts";
import { People } from "./people.ts";
import type { Rpc } from "./rpc.ts";
import { Session } from "./session.ts";
import { Siblings } from "./siblings.ts";
import { type Tab, tabOf } from "./tab.ts";
import { subject, Tokens } from "./token.ts";
import type {
	Client,
	ClientEvents,
	ClientOptions,
	Connection,
	Messages,
	OnOptions,
	Sessions,
} from "./types.ts";
import { TypingStore } from "./typing.ts";
import { any, ignore, sleep } from "./wait.ts";
import type { Message, MessageSend, User, Welcome } from "./wire.gen.ts";

/** A message written in a call takes the WebSocket when its data channel has not answered by then. */
const channelPatienceMs = 2000;
/** A tab that nobody has looked at for so long is away. */
const awayMs = 60_000;

/** Makes a client. It touches no network before `connect()`. */
export function createClient(options: ClientOptions): Client {
	return new TabClient(options, browser());
}

/** `env` comes from outside for tests. */
export class TabClient implements Client {
	readonly server: string;
	readonly conversations: ConversationStore;
	readonly messages: Messages;
	readonly presence: People;
	readonly objects: ObjectStore;
	readonly sessions: Sessions;
	readonly calls: CallStore;

	readonly #env: Environment;
	readonly #prefix: string;
	readonly #tab: Tab;
	readonly #events = new Emitter<ClientEvents>();
	readonly #session: Session;
	readonly #siblings: Siblings;
	readonly #outbox: Outbox;
	readonly #store: MessageStore;
	readonly #typing: TypingStore;
	readonly #inbox: Inbox;
	readonly #channels = new Map<string, Rpc>();
	readonly #tokens: Tokens;
	readonly #life = new AbortController();
	#user: User | undefined;
	#account = "";
	#idle: ReturnType<typeof setTimeout> | undefined;
	#wanted = false;

	constructor(o: ClientOptions, env: Environment) {
		this.#env = env;
		this.server = new URL(o.server).origin;
		this.#prefix = o.storagePrefix ?? "carillon";
		this.#tab = tabOf(env, this.#prefix);
		this.#tokens = new Tokens(o);
		const events = this.#events;
		const me = () => this.#account;
		const tab = () => this.#tab.id;
		const tell = (topic: string, data: unknown) => this.#siblings.tell(topic, data);
		this.#siblings = new Siblings(env, (topic, data) => this.#sibling(topic, data));
		this.#session = new Session({
			env,
			tokens: this.#tokens,
			tab: this.#tab,
			server: this.server,
			deviceName: o.deviceName ?? env.deviceName,
			pending: () => this.#outbox.pending(),
		});
		this.conversations = new ConversationStore(this.#session, events, me);
		this.presence = new People(this.#session, events);
		this.objects = new ObjectStore(this.#session, events);
		this.#typing = new TypingStore(this.#session, events);
		this.#outbox = new Outbox({
			send: (m, call, signal) => this.#send(m, call, signal),
			ready: () => this.#session.state.state === "online" || this.#channels.size > 0,
			stored: (m) => this.#store.take(m),
			changed: (w) => this.#store.waitingChanged(w),
			tab,
			direct: (user) => this.conversations.direct(user)?.id,
			alone: (job, work) => this.#siblings.alone(job, work),
			alive: () => this.#siblings.alive(),
			random: () => env.random(),
			indexedDB: env.indexedDB,
		});
		this.#store = new MessageStore({
			session: this.#session,
			events,
			conversations: this.conversations,
			outbox: this.#outbox,
			me,
			tab,
			id: () => env.id(),
			tell,
		});
		this.messages = {
			transcript: (ref) => this.#store.transcript(ref),
			open: (ref, signal) => this.#store.open(ref, signal),
			older: (ref, signal) => this.#store.older(ref, signal),
			send: (ref, p) => this.#store.send(ref, p),
			resend: (key) => this.#outbox.retry(key),
			discard: (key) => this.#outbox.discard(key),
			shown: (c, seq) => this.#store.shown(c, seq),
			typing: (c, on) => this.#typing.say(c, on),
			typists: (c) => this.#typing.list(c),
		};
		this.sessions = {
			list: async (signal) => (await this.#session.insist("session.list", {}, signal)).sessions,
			signOut: async (id, signal) => void (await this.#session.request("session.sign_out", { id }, signal)),
		};
		this.calls = new CallStore({
			env,
			session: this.#session,
			events,
			relayOnly: o.relayOnly ?? false,
			singleLayer: o.singleLayer ?? false,
			me,
			tab,
			tell,
			device: () => this.#tab.device,
			storageKey: () => `${this.#name()}:legs`,
			channel: (call, rpc) => this.#channel(call, rpc),
			hostLock: (leg, signal) => this.#siblings.hostLock(leg, signal),
		});
		this.#inbox = new Inbox({
			session: this.#session,
			events,
			store: this.#store,
			conversations: this.conversations,
			calls: this.calls,
			objects: this.objects,
			people: this.presence,
			typing: this.#typing,
			me,
		});
		this.#listen();
	}

	get tabId(): string {
		return this.#tab.id;
	}

	get deviceId(): string {
		return this.#tab.device;
	}

	get connection(): Connection {
		return this.#session.state;
	}

	get user(): User | undefined {
		return this.#user;
	}

	get limits(): Welcome["limits"] | undefined {
		return this.#session.welcome?.limits;
	}

	connect(): void {
		this.#wanted = true;
		this.#session.connect();
	}

	disconnect(): void {
		this.#wanted = false;
		this.calls.suspend();
		this.#session.rest();
	}

	close(): void {
		this.#life.abort();
		this.#inbox.clear();
		clearTimeout(this.#idle);
		this.calls.close();
		this.#session.rest();
		this.#session.clear();
		this.#typing.clear();
		this.#store.clear();
		this.#outbox.close();
		this.#siblings.leave();
		this.#events.clear();
	}

	async signOut(p: { everywhere?: boolean } = {}, signal?: AbortSignal): Promise<void> {
		try {
			if (p.everywhere) await this.#session.request("session.sign_out", { everywhere: true }, signal);
			else await this.#signOutDevice(signal);
		} catch (err) {
			// Our own session was among them and closed before the answer.
			if (!(err instanceof Unanswered)) throw err;
		}
		this.#siblings.tell("signout", null);
		await this.#signedOut();
	}

	fetchUser(id: string, signal?: AbortSignal): Promise<User> {
		return this.presence.fetch(id, signal);
	}

	tell(topic: string, data: unknown): void {
		this.#siblings.tell(`page:${topic}`, data);
	}

	win(job: string, signal: AbortSignal): Promise<boolean> {
		return this.#siblings.win(job, signal);
	}

	on<K extends keyof ClientEvents>(
		type: K,
		listener: (event: ClientEvents[K]) => void,
		o?: OnOptions,
	): () => void {
		return this.#events.on(type, listener, o);
	}

	#listen(): void {
		const s = this.#session;
		s.on("connection", (c) => {
			if (c.state !== "online" && c.state !== "catching_up") this.#outbox.interrupted();
			this.#events.emit("connection", c);
			if (c.state === "stopped" && c.why === "signed_out") void this.#signedOut();
		});
		// What waits from an earlier page shows even before there is a connection.
		s.on("token", (token) => {
			const user = subject(token);
			if (user && this.#account === "") this.#become(user);
		});
		s.on("welcome", ({ welcome, recovered }) => this.#welcomed(welcome, recovered));
		s.on("synced", ({ recovered }) => {
			this.calls.synced();
			this.#outbox.flush();
			this.#inbox.ackSoon();
			this.#events.emit("synced", { recovered });
		});
		s.on("event", (e) => this.#inbox.event(e));
		s.on("note", (n) => this.#inbox.note(n));
		this.#events.on("profile", (u) => {
			if (u.id === this.#account) this.#user = u;
		});
		s.on("authexpired", (code) => this.#events.emit("authexpired", { code }));
		s.on("error", (err) => this.#events.emit("error", err));
		this.#env.life(this.#life.signal, {
			hurry: () => {
				if (!this.#wanted) return;
				s.connect();
				s.hurry();
			},
			doubt: () => s.probe(),
			hide: () => this.#hidden(),
			visibility: (visible) => this.#seen(visible),
		});
	}

	/** The page goes, to the bfcache perhaps. Calls are left to their grace time; locks would be in the way. */
	#hidden(): void {
		if (!this.#wanted) return;
		this.calls.suspend();
		this.#session.rest();
		this.#tab.release();
	}

	#seen(visible: boolean): void {
		clearTimeout(this.#idle);
		if (visible) this.#session.notify("activity", { away: false });
		else this.#idle = setTimeout(() => this.#session.notify("activity", { away: true }), awayMs);
	}

	#welcomed(w: Welcome, recovered: boolean): void {
		this.#user = w.user;
		this.#become(w.user.id);
		for (const id of w.accepted) this.#outbox.settle(id);
		this.objects.greeted(w.objects);
		this.presence.greeted();
		this.calls.greeted(w.calls);
		if (!recovered) {
			ignore(this.conversations.reload(this.#life.signal));
			this.#store.refill();
		}
		this.#store.sendMarks();
	}

	/** Everything that is stored is stored under this name. */
	#name(): string {
		return `${this.#prefix}:${this.server}:${this.#account}`;
	}

	#become(user: string): void {
		if (user === this.#account) return;
		if (this.#account !== "") this.#forget();
		this.#account = user;
		this.#siblings.join(this.#name());
		ignore(this.#outbox.open(this.#name()));
	}

	/** The data channel of a hosted leg is open, or gone. */
	#channel(call: string, rpc: Rpc | undefined): void {
		if (rpc) this.#channels.set(call, rpc);
		else this.#channels.delete(call);
	}

	/** "What is written in the call view goes over the data channel first; after 2 s without a result over the WebSocket." */
	async #send(m: MessageSend, call: string | undefined, signal: AbortSignal): Promise<Message> {
		const channel = call === undefined ? undefined : this.#channels.get(call);
		if (channel) {
			try {
				return await channel.request("message.send", m, any(signal, AbortSignal.timeout(channelPatienceMs)));
			} catch (err) {
				if (signal.aborted || (err instanceof Refusal && err.code !== "too_large")) throw err;
			}
		}
		// Whatever waits for a connection here would also be sent by the flush after it.
		if (this.#session.state.state !== "online") {
			await sleep(0, signal);
			throw new Unanswered("message.send");
		}
		return this.#session.request("message.send", m, signal);
	}

	#sibling(topic: string, data: unknown): void {
		if (topic.startsWith("page:")) return this.#events.emit("sibling", { topic: topic.slice(5), data });
		switch (topic) {
			case "outbox":
				return this.#outbox.mirror(data as Waiting);
			case "read": {
				const { conversation, seq } = data as { conversation: string; seq: number };
				return this.conversations.read(conversation, seq);
			}
			case "signout":
				return void this.#signedOut();
			default:
				this.calls.hear(topic, data);
		}
	}

	/** This device's tabs, ourselves last. Through the server, so that it works without any local means. */
	async #signOutDevice(signal?: AbortSignal): Promise<void> {
		const all = await this.sessions.list(signal);
		const here = all.filter((s) => s.device === this.#tab.device);
		for (const s of here.sort((a, b) => Number(a.this) - Number(b.this)))
			await this.sessions.signOut(s.id, signal);
	}

	async #signedOut(): Promise<void> {
		if (this.#account === "") return;
		this.#wanted = false;
		this.#forget();
		await this.#outbox.clear();
		this.#siblings.leave();
		this.#account = "";
		this.#user = undefined;
		if (this.#session.state.state !== "stopped") this.#session.rest();
		this.#events.emit("signedout", undefined);
	}

	/** What is in memory of this user. */
	#forget(): void {
		this.calls.clear();
		this.#session.forget();
		this.#store.clear();
		this.conversations.clear();
		this.presence.clear();
		this.objects.clear();
		this.#typing.clear();
		this.#inbox.clear();
	}
}
