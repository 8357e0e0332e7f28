/** Cameras and microphones: which are chosen, and why one cannot be had. */

/** Why a device could not be had. What to tell the user differs. */
export type DeviceReason =
	/** The user or the site's policy did not allow it. */
	| "refused"
	/** There is none, or not the one that was chosen. */
	| "none_found"
	/** Another program uses it, or the system does not let it be opened. */
	| "in_use"
	/** Something else. */
	| "failed";

export interface DeviceChoice {
	/** `deviceId`s; undefined: the browser's default. */
	microphone?: string;
	camera?: string;
}
