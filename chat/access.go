package chat

import (
	"slices"

	"carillon/refusal"
)

// Access returns the members of a conversation if user is one of them. It is the one place
// that decides who may read, write or call in a conversation. Others are not told whether
// there is such a conversation.
func Access(v View, conversation, user string) (members []string, err error) {
	members, err = v.MemberIDs(conversation)
	if err == nil && !slices.Contains(members, user) {
		return nil, refusal.New(refusal.NotFound, "There is no such conversation, or you are not a member of it.")
	}
	return members, err
}

// mayReach decides who may open a conversation with whom; nothing else does. A conversation
// that exists stays open when the policy changes.
func (r Reach) mayReach(v View, from User, to string) error {
	if slices.Contains(r.Guests, to) {
		return nil
	}
	if from.Guest && len(r.Guests) > 0 {
		return refusal.New(refusal.NotAllowed, "Guests may not write to this user.")
	}
	var known bool
	var err error
	switch r.Users {
	case ReachContacts:
		_, known, err = v.DirectBetween(from.ID, to)
	case ReachGroups:
		known, err = v.ShareGroup(from.ID, to)
	default:
		known = true
	}
	if err == nil && !known {
		err = refusal.New(refusal.NotAllowed, "You may not write to this user.")
	}
	return err
}
