/** Browser notifications and the sound of a message: one per browser, none where the visitor is looking. */
import type { Client, ClientEvents, Ring } from "../sdk/index.ts";
import { headStart, standing } from "./election.ts";
import type { Words } from "./strings/index.ts";

type Arrived = ClientEvents["message"];

export interface Alerting {
	readonly words: Words;
	readonly notifications: boolean;
	readonly sounds: boolean;
	/** Someone reads this conversation in this tab now. */
	looksAt(conversation: string): boolean;
	nameOf(user: string): Promise<{ name: string; picture?: string }>;
	/** The visitor clicked the notification. */
	show(conversation: string): void;
}

/** How long the tab that tells of a message keeps the others from telling of it too. */
const told = 1500;

export async function tellMessage(client: Client, { message, mine }: Arrived, a: Alerting): Promise<void> {
	if (mine || message.kind === "call") return;
	const won = new AbortController();
	const looking = document.hasFocus() && a.looksAt(message.conversation);
	if (!looking) await after(headStart(standing()));
	if (!(await client.win(`notifier ${message.id}`, won.signal).catch(() => true))) return;
	setTimeout(() => won.abort(), told);
	if (looking) return; // having taken the job is enough: no other tab disturbs
	if (a.sounds) void import("./tones.ts").then((tones) => tones.play("message"));
	if (document.hasFocus()) return;
	const sender = await a.nameOf(message.sender);
	notify(a, sender.name, {
		body: message.text ?? "",
		tag: message.conversation,
		...(sender.picture && { icon: sender.picture }),
	})?.addEventListener("click", () => a.show(message.conversation));
}

/** Shows who calls until the signal aborts, if no tab of this browser has the visitor's eyes. */
export async function tellRing(client: Client, ring: Ring, a: Alerting, signal: AbortSignal): Promise<void> {
	if (document.hasFocus() || ring.waiting) return;
	await after(headStart(standing()));
	if (signal.aborted || !(await client.win(`notifier ${ring.id}`, signal).catch(() => true))) return;
	const key = ring.media === "video" ? "incomingVideo" : "incomingVoice";
	const shown = notify(a, a.words.say(key, { name: ring.from.name }), {
		tag: ring.id,
		requireInteraction: true,
	});
	shown?.addEventListener("click", () => a.show(ring.call.conversation));
	signal.addEventListener("abort", () => shown?.close());
}

function notify(a: Alerting, title: string, options: NotificationOptions): Notification | undefined {
	if (!a.notifications || typeof Notification === "undefined" || Notification.permission !== "granted")
		return undefined;
	try {
		const shown = new Notification(title, { lang: a.words.locale, ...options });
		shown.addEventListener("click", () => {
			window.focus();
			shown.close();
		});
		return shown;
	} catch {
		return undefined; // Android allows them from a service worker only
	}
}

function after(ms: number): Promise<void> {
	return new Promise((done) => setTimeout(done, ms));
}
