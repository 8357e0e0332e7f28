/** One user in one tab: joins the socket with the stores. */

import { ClientBase, type ServerMessage, type Stores } from "./base.ts";
import { BlockList } from "./blocks.ts";
import type { ClientCalls, MakeCalls } from "./calls/context.ts";
import { ContactList } from "./contacts.ts";
import { ConversationStore } from "./conversations.ts";
import { DraftStore } from "./drafts.ts";
import type { Emitter } from "./emitter.ts";
import type { Environment } from "./environment.ts";
import { Refusal, Unanswered } from "./errors.ts";
import { HiddenMessages } from "./hidden.ts";
import { Inbox } from "./inbox.ts";
import { MessageStore } from "./messages.ts";
import { ObjectStore } from "./objects.ts";
import type { QueuedMessage } from "./outbox.db.ts";
import { Outbox } from "./outbox.ts";
import type { OwnStores } from "./own.ts";
import { People } from "./people.ts";
import { MyPreferences } from "./preferences.ts";
import type { Rpc } from "./rpc.ts";
import type { TabSocket } from "./socket.ts";
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
import { abortAfter, any, ignore, sleep } from "./wait.ts";
import type { Change, Draft, Message, MessageSend, User, Welcome } from "./wire.gen.ts";

/** A message written in a call takes the WebSocket when its data channel has not answered by then. */
const channelAnswerMs = 2000;

/** `env` comes from outside for tests; `base` when there was one before anything needed the stores. */
export class TabClient implements Client {
	readonly server: string;
	readonly conversations: ConversationStore;
	readonly messages: Messages;
	readonly presence: People;
	readonly objects: ObjectStore;
	readonly contacts: ContactList;
	readonly blocks: BlockList;
	readonly preferences: MyPreferences;
	readonly drafts: DraftStore;
	readonly sessions: Sessions;
	readonly calls: ClientCalls;

	/** By the type of their items in this user's feed. */
	readonly #own: OwnStores;
	readonly #base: ClientBase;
	readonly #events: Emitter<ClientEvents>;
	readonly #socket: TabSocket;
	readonly #outbox: Outbox;
	readonly #store: MessageStore;
	readonly #typing: TypingStore;
	readonly #inbox: Inbox;
	readonly #stores: Stores;
	readonly #channels = new Map<string, Rpc>();
	readonly #life = new AbortController();
	#user: User | undefined;
	#account = "";

	constructor(o: ClientOptions, env: Environment, makeCalls: MakeCalls, base = new ClientBase(o, env)) {
		this.#base = base;
		this.server = base.server;
		this.#socket = base.socket;
		const { siblings } = base;
		const events = (this.#events = base.events);
		const me = () => this.#account;
		const tab = () => base.tab.id;
		const tell = (topic: string, data: unknown) => siblings.tell(topic, data);
		const random = () => env.random();
		this.presence = new People(this.#socket, events);
		const hidden = new HiddenMessages((id) => {
			this.conversations.drawn(id);
			this.#store.drawn(id);
		});
		this.conversations = new ConversationStore({
			socket: this.#socket,
			events,
			people: this.presence,
			me,
			random,
			toldUnread: base.unread,
			headCame: (c) => base.headCame(c),
			changed: (id, c) => this.#store.headChanged(id, c),
			hidden: (m) => hidden.has(m.conversation, m.seq),
			news: (m) => this.#inbox.news(m),
		});
		this.contacts = new ContactList(this.#socket, events);
		this.objects = new ObjectStore(this.#socket, events);
		this.blocks = new BlockList(this.#socket, events);
		this.preferences = new MyPreferences(this.#socket, events);
		this.drafts = new DraftStore({ socket: this.#socket, events, tell });
		this.#own = {
			contact: this.contacts,
			object: this.objects,
			block: this.blocks,
			preferences: this.preferences,
			draft: this.drafts,
			hidden,
		};
		this.#typing = new TypingStore(this.#socket, events);
		this.#outbox = new Outbox({
			send: (m, call, signal) => this.#send(m, call, signal),
			ready: () => this.#socket.state.state === "online" || this.#channels.size > 0,
			stored: (c, w) => this.#stored(c, w),
			changed: (w) => this.#store.queuedChanged(w),
			tab,
			direct: (user) => this.conversations.direct(user)?.id,
			inOneTab: (job, work) => siblings.inOneTab(job, work),
			livingTabs: () => siblings.livingTabs(),
			random,
			indexedDB: env.indexedDB,
			journal: base.journal,
		});
		this.#store = new MessageStore({
			socket: this.#socket,
			events,
			conversations: this.conversations,
			outbox: this.#outbox,
			people: this.presence,
			me,
			tab,
			id: () => env.id(),
			tell,
			read: (conversation, seq) => base.marks.read(conversation, seq),
			checkHole: (feed) => this.#inbox.checkHole(feed),
			hidden: (id, seq) => hidden.has(id, seq),
		});
		this.messages = {
			transcript: (ref) => this.#store.transcript(ref),
			open: (ref, signal) => this.#store.open(ref, signal),
			older: (ref, signal) => this.#store.older(ref, signal),
			send: (ref, p) => this.#store.send(ref, p),
			resend: (key) => this.#outbox.retry(key),
			discard: (key) => this.#outbox.discard(key),
			shown: (c, seq) => this.#store.shown(c, seq),
			preview: async (url, signal) => (await this.#socket.request("preview.get", { url }, signal)).preview,
			some: (conversation, seqs, signal) => this.#some(conversation, seqs, signal),
			edit: async (conversation, seq, text, signal) =>
				this.#answered(await this.#socket.request("message.edit", { conversation, seq, text }, signal)),
			recall: async (conversation, seq, signal) =>
				this.#answered(await this.#socket.request("message.recall", { conversation, seq }, signal)),
			react: (c, seq, emoji, on, signal) => this.#react(c, seq, emoji, on, signal),
			reacted: (p, signal) => this.#socket.requestUntilAnswered("message.reacted", p, signal),
			hide: async (conversation, seqs, signal) =>
				void (await this.#socket.request("message.hide", { conversation, seqs: [...seqs] }, signal)),
			typing: (c, on) => this.#typing.say(c, on),
			typists: (c) => this.#typing.list(c),
		};
		this.sessions = {
			list: async (signal) => (await this.#socket.requestUntilAnswered("session.list", {}, signal)).sessions,
			signOut: async (id, signal) => void (await this.#socket.request("session.sign_out", { id }, signal)),
		};
		this.calls = makeCalls({
			env,
			socket: this.#socket,
			events,
			relayOnly: o.relayOnly ?? false,
			singleLayer: o.singleLayer ?? false,
			me,
			tab,
			tell,
			who: () => base.who,
			present: () => this.#socket.synced,
			storageKey: () => `${base.name}:legs`,
			channel: (call, rpc) => this.#channel(call, rpc),
			mayTakeOver: (id, signal) => base.tab.mayTakeOver(id, signal),
			hostLock: (leg, signal) => siblings.hostLock(leg, signal),
		});
		this.#inbox = new Inbox({
			base,
			events,
			store: this.#store,
			conversations: this.conversations,
			calls: this.calls,
			own: this.#own,
			people: this.presence,
			typing: this.#typing,
			me,
			random,
		});
		this.#stores = {
			receive: (message, ageMs) => this.#receive(message, ageMs),
			userChanged: (user) => this.#userChanged(user),
			hidden: () => this.calls.suspend(),
			sibling: (topic, data) => this.#sibling(topic, data),
			signedOut: () => void this.#signedOut(),
			pending: () => this.#outbox.pending(),
			feeds: () => this.#inbox.feeds(),
			whole: () => this.#inbox.whole,
		};
		this.#socket.on("connection", (c) => {
			if (c.state !== "online" && c.state !== "syncing") this.#outbox.interrupted();
		});
		events.on("profile", (u) => {
			if (u.id === this.#account) this.#user = u;
		});
	}

	get tabId(): string {
		return this.#base.who.tab;
	}

	get deviceId(): string {
		return this.#base.who.device;
	}

	get connection(): Connection {
		return this.#socket.state;
	}

	get user(): User | undefined {
		return this.#user;
	}

	get limits(): Welcome["limits"] | undefined {
		return this.#socket.welcome?.limits;
	}

	connect(): void {
		this.#base.attach(this.#stores);
		this.#base.connect();
	}

	disconnect(): void {
		this.calls.suspend();
		this.#base.disconnect();
	}

	close(): void {
		this.#life.abort();
		this.calls.close();
		this.#base.close();
		this.#typing.clear();
		this.#inbox.clear();
		this.conversations.clear();
		this.#store.clear();
		this.#outbox.close();
	}

	async signOut(p: { everywhere?: boolean } = {}, signal?: AbortSignal): Promise<void> {
		try {
			if (p.everywhere) await this.#socket.request("session.sign_out", { everywhere: true }, signal);
			else await this.#signOutDevice(signal);
		} catch (err) {
			// Our own session was among them and closed before the answer.
			if (!(err instanceof Unanswered)) throw err;
		}
		this.#base.siblings.tell("signout", null);
		await this.#signedOut();
	}

	fetchUser(id: string, signal?: AbortSignal): Promise<User> {
		return this.presence.fetch(id, signal);
	}

	knownUser(id: string): User | undefined {
		return this.presence.find(id);
	}

	tell(topic: string, data: unknown): void {
		this.#base.siblings.tell(`page:${topic}`, data);
	}

	win(job: string, signal: AbortSignal): Promise<boolean> {
		return this.#base.siblings.win(job, signal);
	}

	on<K extends keyof ClientEvents>(
		type: K,
		listener: (event: ClientEvents[K]) => void,
		o?: OnOptions,
	): () => void {
		return this.#events.on(type, listener, o);
	}

	#receive(message: ServerMessage, ageMs: number): void {
		switch (message.type) {
			case "welcome":
				return this.#welcomed(message.welcome, message.resumed);
			case "notification":
				return this.#inbox.notification(message.notification, message.live, ageMs);
			case "synced":
				this.#inbox.synced(message.resumed, message.all);
				this.calls.synced();
				this.#outbox.flush();
				return this.#events.emit("synced", { resumed: message.resumed });
		}
	}

	#welcomed(w: Welcome, resumed: boolean): void {
		this.#user = w.user;
		this.presence.learn([w.user]);
		for (const id of w.accepted) this.#outbox.accepted(id);
		this.presence.greeted();
		this.calls.welcomed();
		this.#inbox.welcomed(w, resumed);
	}

	/** The answer to a send enters by the same door as any change. */
	#stored(c: Change, { to }: QueuedMessage): void {
		if (to !== undefined) this.conversations.begun(c.feed, to, c);
		this.#inbox.change(c, this.#socket.synced);
	}

	async #some(conversation: string, seqs: readonly number[], signal?: AbortSignal): Promise<Message[]> {
		const p = { conversation, seqs: [...seqs] };
		const { items, users } = await this.#socket.requestUntilAnswered("message.get", p, signal);
		this.presence.learn(users);
		return items.map(({ data }) => data as Message);
	}

	async #react(
		conversation: string,
		seq: number,
		emoji: string,
		on: boolean,
		signal?: AbortSignal,
	): Promise<void> {
		const p = { conversation, seq, emoji, ...(!on && { off: true }) };
		this.#answered(await this.#socket.request("message.react", p, signal));
	}

	/** The answer is the change that was made, and enters by the same door as others; one that changed nothing has no pos. */
	#answered(change: Change): void {
		if (change.pos > 0) this.#inbox.change(change, this.#socket.synced);
	}

	#userChanged(user: string): void {
		if (user === this.#account) return;
		if (this.#account !== "") this.#forget();
		this.#account = user;
		ignore(this.#outbox.open(this.#base.name));
	}

	/** The data channel of a leg in this tab has opened, or closed. */
	#channel(call: string, rpc: Rpc | undefined): void {
		if (rpc) this.#channels.set(call, rpc);
		else this.#channels.delete(call);
	}

	/** What was written in a call goes over its data channel first, and over the WebSocket when that has not answered in time. */
	async #send(m: MessageSend, call: string | undefined, signal: AbortSignal): Promise<Change> {
		const channel = call === undefined ? undefined : this.#channels.get(call);
		if (channel) {
			try {
				return await channel.request("message.send", m, any(signal, abortAfter(channelAnswerMs)));
			} catch (err) {
				if (signal.aborted || (err instanceof Refusal && err.code !== "too_large")) throw err;
			}
		}
		// To wait for a connection here would send it twice: the flush after the next welcome sends it too.
		if (this.#socket.state.state !== "online") {
			await sleep(0, signal);
			throw new Unanswered("message.send");
		}
		return this.#socket.request("message.send", m, signal);
	}

	#sibling(topic: string, data: unknown): void {
		if (topic.startsWith("page:")) return this.#events.emit("sibling", { topic: topic.slice(5), data });
		switch (topic) {
			case "outbox":
				return this.#outbox.mirror(data as QueuedMessage);
			case "draft":
				return this.drafts.mirror(data as Draft);
			case "read": {
				const { conversation, seq } = data as { conversation: string; seq: number };
				return this.conversations.markRead(conversation, seq);
			}
			default:
				this.calls.siblingTold(topic, data);
		}
	}

	/** Signs out this device's tabs, this one last. It goes through the server, so that it works without Web Locks and channels. */
	async #signOutDevice(signal?: AbortSignal): Promise<void> {
		const all = await this.sessions.list(signal);
		const here = all.filter((s) => s.device === this.#base.who.device);
		for (const s of here.sort((a, b) => Number(a.this) - Number(b.this)))
			await this.sessions.signOut(s.id, signal);
	}

	async #signedOut(): Promise<void> {
		if (this.#account === "") return;
		this.#forget();
		this.#account = "";
		this.#user = undefined;
		const cleared = this.#outbox.clear();
		this.#base.forget();
		await cleared;
		this.#events.emit("signedout", undefined);
	}

	/** Drops what is in memory of this user. */
	#forget(): void {
		this.calls.clear();
		this.#inbox.clear();
		this.#store.clear();
		this.conversations.clear();
		for (const store of Object.values(this.#own)) store.clear();
		this.presence.clear();
		this.#typing.clear();
	}
}
