/**
 * What a click may do. Views call these and read nothing back: the next `Screen` shows the effect. None of them throws;
 * what went wrong becomes a notice.
 */
import type { ConversationRef, Media } from "../sdk/index.ts";
import type { Devices } from "./calls/devices.ts";
import type { Notice } from "./state.ts";

/** All that does not need the call part. */
export interface PanelActions {
	// The panel.
	close(): void;
	showList(): void;
	showConversation(ref: ConversationRef): void;
	dismiss(notice: Notice): void;
	/** Puts a problem of the call away. */
	dismissProblem(problem: object): void;
	/** Opens or closes the menu of devices. */
	toggleDevices(): void;
	/** Makes the panel large during a call, or small again. */
	toggleSize(): void;
	/** The visitor wants to be asked by the browser for notifications, or never again by the popup. */
	askForNotifications(wanted: boolean): void;

	// Messages.
	/** The composer holds this text now. */
	write(text: string): void;
	/** Takes the preview of the link in the composer away. */
	dropPreview(): void;
	/** Sends what the composer holds. False: there was nothing to send, or too much. */
	send(): boolean;
	resend(key: string): void;
	discard(key: string): void;
	/** Fetches older messages of the conversation on screen. */
	older(): Promise<void>;
	/** Fetches more of the list of conversations. */
	more(): void;
	/** Takes an invitation to a group, and shows the group. */
	join(conversation: string): void;
	declineInvitation(conversation: string): void;
	/** The visitor has seen everything up to `seq`. */
	seen(conversation: string, seq: number): void;

	// Calls.
	/** The pointer or the focus is on a call button: the call part is loaded and prepared. */
	nearCall(): void;
	start(ref: ConversationRef, media: Media): void;
	/** Opens the panel on the conversation of a call. */
	backToCall(conversation: string): void;
}

/** What the buttons of a call do. */
export interface CallActions {
	answer(call: string, p: { camera: boolean; microphone: boolean }): void;
	decline(call: string): void;
	silence(call: string): void;
	hangUp(call: string): void;
	/** Takes a click back that has not become a call yet. */
	cancel(): void;
	moveHere(call: string): void;
	setMicrophone(call: string, on: boolean): void;
	setCamera(call: string, on: boolean): void;
	setHeld(call: string, held: boolean): void;
	chooseDevices(choice: Devices): void;
	/** The sound of a call could be played, or the browser refused it. */
	soundBlocked(blocked: boolean): void;
}

export type Actions = PanelActions & CallActions;
