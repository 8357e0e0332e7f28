/** A stream for `.srcObject`: set once, since Lit sets objects anew at each drawing, which restarts a video. */
import { guard } from "lit/directives/guard.js";

export function stream(media: MediaStream | undefined) {
	return guard([media], () => media ?? null);
}
