/**
 * What several parts need. Every part but the connection imports this, so that the bundler puts it into two files and not into
 * one for each set of parts that share something: small files compress badly. Those two come with the chat in any case.
 */
import "lit/directives/repeat.js";
import "../../sdk/calls/available.ts";
import "../account.ts";
import "../calls/shown.ts";
import "../part.ts";
import "../problems.ts";
import "../screen.ts";
import "../strings/index.ts";
import "../styles/css.ts";
import "../views/avatar.ts";
import "../views/bubble.ts";
import "../views/name.ts";
