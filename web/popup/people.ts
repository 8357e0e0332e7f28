/** Who is who: names and pictures from what is known, the options first for who is not known yet. */
import type { Conversation, ConversationRef, Message, Presence } from "../sdk/index.ts";
import type { Controller } from "./controller.ts";

export interface Face {
	/** Of the user; undefined for a group. */
	readonly id?: string;
	readonly name: string;
	readonly picture?: string;
}

/** Presence is watched for this many at most: what a list shows without scrolling far. */
const watched = 50;

export class People {
	readonly #c: Controller;

	constructor(controller: Controller) {
		this.#c = controller;
	}

	/** The other side of a conversation. */
	face(ref: ConversationRef | undefined): Face {
		if (!ref) return { name: "" };
		const conversation = this.#c.client?.messages.transcript(ref).conversation;
		if (conversation) return this.faceOf(conversation);
		return this.#byOptions("to" in ref ? ref.to : undefined);
	}

	faceOf(conversation: Conversation): Face {
		if (conversation.kind === "group") return { name: conversation.name || this.#names(conversation) };
		const other = this.#c.client?.conversations.other(conversation);
		if (!other) return this.#byOptions(undefined);
		const mine = other.id === this.#c.options.destination ? this.#c.options : {};
		const picture = other.picture || mine.picture;
		return {
			id: other.id,
			name: (other.name !== other.id && other.name) || mine.name || other.id,
			...(picture && { picture }),
		};
	}

	/** Sender of a message as others in the conversation see them. */
	nameIn(message: Message): string {
		const { client } = this.#c;
		if (message.sender === client?.user?.id) return this.#c.words.say("you");
		const member = client?.conversations
			.get(message.conversation)
			?.members.find((m) => m.id === message.sender);
		return member?.name || message.sender;
	}

	/** Unknown while there is no connection: what was true then need not be true now. */
	presence(face: Face): Presence | undefined {
		const state = this.#c.client?.connection.state;
		if (state !== "online" && state !== "catching_up") return undefined;
		return face.id ? this.#c.client?.presence.get(face.id) : undefined;
	}

	/** Whose presence is on screen. */
	onScreen(): string[] {
		const { client, ref } = this.#c;
		if (ref) return [this.face(ref).id].filter((id) => id !== undefined);
		const others = client?.conversations.list().map((conversation) => this.faceOf(conversation).id) ?? [];
		return others.filter((id) => id !== undefined).slice(0, watched);
	}

	#byOptions(user: string | undefined): Face {
		const { destination, name, picture } = this.#c.options;
		if (user && user !== destination) return { id: user, name: user };
		const id = user ?? destination;
		return { ...(id && { id }), name: name ?? id ?? "", ...(picture && { picture }) };
	}

	#names(conversation: Conversation): string {
		const me = this.#c.client?.user?.id;
		const others = conversation.members.filter((m) => m.id !== me).map((m) => m.name || m.id);
		return new Intl.ListFormat(this.#c.words.locale, { type: "conjunction" }).format(others);
	}
}
