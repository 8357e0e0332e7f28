/**
 * What a site may ask of a popup, in one list. `carillon(name, …)` in the loader calls these by name, `Popup` offers them as
 * methods, and docs/EMBEDDING.md explains them; a test compares the three.
 */
import type { ConversationRef, Media } from "../sdk/index.ts";
import type { Options } from "./options.ts";

/** Which call is meant; without `call` the one there is. */
export interface CallParams {
	call?: string;
}

/** Commands that need the server or the panel. They wait until the chat part is loaded, so they return promises. */
export interface ChatCommands {
	/** The visitor is someone else now, or has become someone. */
	identify(options: Pick<Options, "token" | "getToken">): void;
	openConversation(ref: ConversationRef | string): void;
	/** Calls the user `to`, or whoever the open conversation is with. Default: a video call. */
	startCall(p?: { media?: Media; to?: string } | Media): Promise<void>;
	answer(p?: CallParams & { camera?: boolean }): Promise<void> | undefined;
	decline(p?: CallParams): Promise<void> | undefined;
	hangUp(p?: CallParams): Promise<void> | undefined;
	moveCallHere(p?: CallParams): Promise<void> | undefined;
	sendMessage(text: string, to?: ConversationRef): void;
	/** Puts a text into the composer. */
	prefill(text: string): void;
	/** Resolves when the server has stored it. */
	setUserObject(key: string, value: unknown): Promise<void> | undefined;
}

/** The same commands before the chat part is there. */
export type Deferred = {
	[K in keyof ChatCommands]: (
		...p: Parameters<ChatCommands[K]>
	) => Promise<Awaited<ReturnType<ChatCommands[K]>>>;
};

/** Their names at run time. The compiler finds one that is missing here, or too many. */
const names: Record<keyof ChatCommands, true> = {
	identify: true,
	openConversation: true,
	startCall: true,
	answer: true,
	decline: true,
	hangUp: true,
	moveCallHere: true,
	sendMessage: true,
	prefill: true,
	setUserObject: true,
};

abstract class ChatCommandsLater {
	/** Loads the chat part, once. */
	abstract load(): Promise<ChatCommands>;
}

for (const name of Object.keys(names) as (keyof ChatCommands)[])
	Object.defineProperty(ChatCommandsLater.prototype, name, {
		value(this: ChatCommandsLater, ...p: unknown[]) {
			return this.load().then((chat) => (chat[name] as (...p: unknown[]) => unknown).apply(chat, p));
		},
	});

/** A class with each chat command as a method that waits for the chat part. */
export const DeferredCommands = ChatCommandsLater as abstract new () => ChatCommandsLater & Deferred;
