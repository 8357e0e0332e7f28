/** One type scale, one spacing scale, colours as custom properties; everything by logical sides. Those of a call come with its part. */
import { barStyles } from "./bars.ts";
import { controlStyles } from "./controls.ts";
import { panelStyles } from "./panel.ts";
import { tokens } from "./tokens.ts";
import { transcriptStyles } from "./transcript.ts";

export const styles = [tokens, controlStyles, panelStyles, transcriptStyles, barStyles];
