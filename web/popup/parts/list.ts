/** The part with the list of conversations. Loaded when the panel first shows it. */
import "./common.ts";
import { ConversationsView } from "../views/list.ts";
import { define } from "../views/view.ts";

define("carillon-conversations", ConversationsView);
