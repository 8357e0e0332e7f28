/** Cameras and microphones: which are chosen, and why one cannot be had. */

/** Why media could not be had. What to tell the user differs, so this is typed. */
export type DeviceReason = "refused" | "none_found" | "in_use" | "failed";

export interface DeviceChoice {
	/** `deviceId`s; undefined: the browser's default. */
	microphone?: string;
	camera?: string;
}
