/** Names and pictures of people: from the SDK, and from the site's options for whoever the SDK does not know yet. */
import type { Client, Conversation, ConversationRef, Message, Presence } from "../sdk/index.ts";
import type { Options } from "./options.ts";
import type { Words } from "./strings/index.ts";

export interface Face {
	/** Of the user; undefined for a group. */
	readonly id?: string;
	readonly name: string;
	readonly picture?: string;
	/** Nobody vouches for the name. */
	readonly guest?: boolean;
	/** How many have joined a group. */
	readonly count?: number;
}

/** Where names come from. */
export interface Known {
	readonly client: Client | undefined;
	readonly options: Options;
	readonly words: Words;
}

/** Presence is watched for this many at most: what a list shows without scrolling far. */
const watched = 50;

export class People {
	readonly #known: Known;

	constructor(known: Known) {
		this.#known = known;
	}

	/** The other side of a conversation. */
	face(ref: ConversationRef | undefined): Face {
		if (!ref) return { name: "" };
		const conversation = this.#known.client?.messages.transcript(ref).conversation;
		if (conversation) return this.faceOf(conversation);
		return this.#byOptions("to" in ref ? ref.to : undefined);
	}

	faceOf(conversation: Conversation): Face {
		if (conversation.kind === "group") {
			const { name, count, mine } = conversation;
			return { name: name || this.#names(conversation), ...(mine.state === "joined" && { count }) };
		}
		const other = this.#known.client?.conversations.other(conversation);
		if (!other) return this.#byOptions(undefined);
		const mine = other.id === this.#known.options.destination ? this.#known.options : {};
		const picture = other.picture || mine.picture;
		return {
			id: other.id,
			name: (other.name !== other.id && other.name) || mine.name || other.id,
			...(picture && { picture }),
			...(other.guest && { guest: true }),
		};
	}

	/** Sender of a message as others in the conversation see them. */
	nameIn(message: Message): string {
		const { client } = this.#known;
		if (message.sender === client?.user?.id) return this.#known.words.say("you");
		return this.nameOf(message.sender);
	}

	/** Who is not known yet is called by their id, and shown again once they are. */
	nameOf(user: string): string {
		const known = this.#known.client?.knownUser(user);
		return this.#known.words.called({ name: known?.name || user, guest: known?.guest });
	}

	/** Undefined while there is no connection, since it may have changed meanwhile. */
	presence(face: Face): Presence | undefined {
		const state = this.#known.client?.connection.state;
		if (state !== "online" && state !== "syncing") return undefined;
		return face.id ? this.#known.client?.presence.get(face.id) : undefined;
	}

	/** Whose presence is on screen: the other side of `ref`, or everyone in the list. */
	onScreen(ref: ConversationRef | undefined): string[] {
		const { client } = this.#known;
		if (ref) return [this.face(ref).id].filter((id) => id !== undefined);
		const shown = client?.conversations.list().slice(0, watched) ?? [];
		const others = shown.map((conversation) => this.faceOf(conversation).id);
		return others.filter((id) => id !== undefined);
	}

	#byOptions(user: string | undefined): Face {
		const { destination, name, picture } = this.#known.options;
		if (user && user !== destination) return { id: user, name: user };
		const id = user ?? destination;
		return { ...(id && { id }), name: name ?? id ?? "", ...(picture && { picture }) };
	}

	#names(conversation: Conversation): string {
		const me = this.#known.client?.user?.id;
		const { words } = this.#known;
		const others = conversation.members.filter((m) => m.id !== me && m.state === "joined");
		const names = words.list(others.map((m) => ({ name: m.name || m.id, guest: m.guest })));
		const more = conversation.count - 1 - others.length;
		if (names === "") return words.say("group");
		return more > 0 ? words.count("andMore", more, { names }) : names;
	}
}
