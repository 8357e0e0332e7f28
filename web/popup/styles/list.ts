import { css } from "./css.ts";

/** The list of conversations. */
export const listStyles = css`
	carillon-conversations {
		display: contents;
	}
	.list {
		flex: 1;
		overflow-y: auto;
		overscroll-behavior: contain;
		padding: var(--s2);
	}
	.list ul {
		list-style: none;
		padding: 0;
	}
	.conversation {
		all: unset;
		box-sizing: border-box;
		display: flex;
		align-items: center;
		gap: var(--s3);
		inline-size: 100%;
		padding: var(--s3) var(--s3);
		border-radius: 14px;
		cursor: pointer;
	}
	.conversation:hover {
		background: var(--bg-soft);
	}
	.conversation .preview {
		margin-block-start: 2px;
	}
	.conversation.unread :is(.name, .preview) {
		color: var(--ink);
		font-weight: 650;
	}
	.conversation.unread .preview {
		font-weight: 550;
	}
	.invitation {
		display: flex;
		gap: var(--s3);
		padding: var(--s3);
		border-radius: 14px;
		background: var(--bg-soft);
		font-size: var(--t-note);
		line-height: 1.35;
		overflow-wrap: anywhere;
	}
	.invitation + :is(.invitation, ul) {
		margin-block-start: var(--s2);
	}
	.answers {
		display: flex;
		gap: var(--s2);
		margin-block-start: var(--s2);
	}
	.answers .button {
		padding-inline: var(--s4);
		font-size: var(--t-note);
	}
	.aside {
		display: flex;
		flex-direction: column;
		align-items: flex-end;
		align-self: stretch;
		gap: var(--s1);
		color: var(--ink-soft);
		font-size: var(--t-small);
	}
	.hint {
		display: flex;
		justify-content: space-between;
		margin-block-end: var(--s2);
		border-radius: 14px;
		background: var(--bg-soft);
	}
`;
