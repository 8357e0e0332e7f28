/** Browser notifications, and the sound of a message: one per browser, none where the visitor is looking. */
import type { Client, ClientEvents } from "../sdk/index.ts";
import { headStart, tabState } from "./election.ts";
import { spoken } from "./spoken.ts";
import type { Words } from "./strings/index.ts";
import type { SoundName } from "./tones.ts";

type Arrived = ClientEvents["message"];

/** What an alert needs to know of the popup that shows the conversation. */
export interface AlertContext {
	readonly words: Words;
	readonly notifications: boolean;
	readonly sounds: boolean;
	/** Someone reads this conversation in this tab now. */
	looksAt(conversation: string): boolean;
	nameOf(user: string): Promise<{ name: string; picture?: string }>;
	/** The visitor clicked the notification. */
	show(conversation: string): void;
}

/** How long the tab that has told of a message keeps the other tabs from telling of it again. */
const keepOthersSilentMs = 1500;

export async function tellMessage(
	client: Client,
	{ message, mine }: Arrived,
	context: AlertContext,
): Promise<void> {
	if (mine || message.kind === "call") return;
	const won = new AbortController();
	const looking = document.hasFocus() && context.looksAt(message.conversation);
	if (!looking) await sleep(headStart(tabState()));
	if (!(await client.win(`notifier ${message.id}`, won.signal).catch(() => true))) return;
	setTimeout(() => won.abort(), keepOthersSilentMs);
	if (looking) return; // this tab has won and stays silent, so no other tab disturbs the reader
	if (context.sounds) playSound("message");
	if (document.hasFocus()) return;
	const sender = await context.nameOf(message.sender);
	notify(context, sender.name, {
		body: spoken(message, context.words).text,
		tag: message.conversation,
		...(sender.picture && { icon: sender.picture }),
	})?.addEventListener("click", () => context.show(message.conversation));
}

/** Plays a sound once. Without network and sounds at hand there is silence. */
export function playSound(name: SoundName): void {
	import("./tones.ts").then(
		(tones) => tones.play(name),
		() => {},
	);
}

export function notify(
	context: AlertContext,
	title: string,
	options: NotificationOptions,
): Notification | undefined {
	if (!context.notifications || typeof Notification === "undefined" || Notification.permission !== "granted")
		return undefined;
	try {
		const shown = new Notification(title, { lang: context.words.locale, ...options });
		shown.addEventListener("click", () => {
			window.focus();
			shown.close();
		});
		return shown;
	} catch {
		return undefined; // Android allows them from a service worker only
	}
}

export function sleep(ms: number): Promise<void> {
	return new Promise((done) => setTimeout(done, ms));
}
