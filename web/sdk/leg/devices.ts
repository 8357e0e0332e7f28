/** Cameras and microphones: opened on a click only, with reasons a person understands when they cannot be had. */
import { DeviceError } from "../errors.ts";
import type { DeviceChoice, DeviceReason } from "../types.ts";

const audioConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const videoConstraints = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };

export interface Captured {
	microphone?: MediaStreamTrack;
	camera?: MediaStreamTrack;
	/** The camera was wanted and could not be had; the call goes on by voice. */
	problem?: DeviceError;
}

/**
 * Opens what is wanted with one prompt. Without a microphone it fails; without the camera it goes on and says so. What
 * arrives after the signal aborted is given back.
 */
export async function capture(
	want: { microphone: boolean; camera: boolean },
	devices: DeviceChoice,
	signal: AbortSignal,
): Promise<Captured> {
	if (!want.microphone && !want.camera) return {};
	try {
		return await open(want, devices, signal);
	} catch (err) {
		if (signal.aborted) throw err;
		if (!want.camera) throw deviceError("microphone", err);
		// One of the two could not be had. A microphone alone is enough for a call.
		const problem = deviceError("camera", err);
		if (!want.microphone) throw problem;
		const { microphone } = await open({ microphone: true, camera: false }, devices, signal).catch((e) => {
			throw deviceError("microphone", e);
		});
		return { ...(microphone && { microphone }), problem };
	}
}

async function open(
	want: { microphone: boolean; camera: boolean },
	devices: DeviceChoice,
	signal: AbortSignal,
): Promise<Captured> {
	signal.throwIfAborted();
	const ask = (how: "exact" | "ideal") =>
		navigator.mediaDevices.getUserMedia({
			audio: want.microphone && { ...audioConstraints, ...prefer(how, devices.microphone) },
			video: want.camera && { ...videoConstraints, ...prefer(how, devices.camera) },
		});
	// As `ideal`, a chosen device would count no more than the size of the picture, and another camera could be opened.
	const stream = await ask("exact").catch((err: Error) => {
		// A chosen device that is gone today does not prevent a call.
		if (err.name === "OverconstrainedError") return ask("ideal");
		throw err;
	});
	if (signal.aborted) stop(...stream.getTracks());
	signal.throwIfAborted();
	const [microphone] = stream.getAudioTracks();
	const [camera] = stream.getVideoTracks();
	return { ...(microphone && { microphone }), ...(camera && { camera }) };
}

const prefer = (how: "exact" | "ideal", deviceId: string | undefined) =>
	deviceId ? { deviceId: { [how]: deviceId } } : {};

export function stop(...tracks: (MediaStreamTrack | undefined | null)[]): void {
	for (const track of tracks) track?.stop();
}

/** https://www.w3.org/TR/mediacapture-streams/#dom-mediadevices-getusermedia */
export function reason(err: unknown): DeviceReason {
	switch ((err as { name?: string }).name) {
		case "NotAllowedError":
		case "SecurityError":
			return "refused";
		case "NotFoundError":
		case "OverconstrainedError":
			return "none_found";
		case "NotReadableError":
		case "AbortError":
			return "in_use";
		default:
			return "failed";
	}
}

export function deviceError(source: "microphone" | "camera", err: unknown): DeviceError {
	return err instanceof DeviceError ? err : new DeviceError(source, reason(err), err);
}

/**
 * Tells at any later moment whether the browser opens the microphone, and the camera if wanted, without asking the user.
 * False where the browser does not say.
 */
export async function permissions(): Promise<(camera: boolean) => boolean> {
	const ask = async (name: string) => {
		try {
			// The browser keeps the state of this object current.
			return await navigator.permissions.query({ name: name as PermissionName });
		} catch {
			return undefined; // a name it does not know
		}
	};
	const [microphone, camera] = await Promise.all([ask("microphone"), ask("camera")]);
	return (wanted) => microphone?.state === "granted" && (!wanted || camera?.state === "granted");
}

export async function devices(): Promise<MediaDeviceInfo[]> {
	return (await navigator.mediaDevices.enumerateDevices()).filter(
		(d) => d.kind !== "audiooutput" || d.deviceId,
	);
}
