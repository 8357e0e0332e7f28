package config

import (
	"net/url"
	"os"
	"slices"
	"strings"
)

// Exposed are the keys whose secrets stand in a configuration file that every user of this machine
// may read, each with its place there. What the environment has set does not count.
func (c Config) Exposed() []string {
	if info, err := os.Stat(c.file); err != nil || info.Mode().Perm()&0o004 == 0 {
		return nil
	}
	var all []string
	for key, place := range c.places {
		if strings.HasPrefix(place, c.file+":") && c.holdsSecret(key) {
			all = append(all, place+": "+key)
		}
	}
	slices.Sort(all)
	return all
}

func (c Config) holdsSecret(key string) bool {
	switch key {
	case "auth.secret":
		return c.Auth.Secret != ""
	case "turn.secrets":
		return len(c.Turn.Secrets) > 0
	case "ice.secret":
		return c.ICE.Secret != ""
	case "files.secret":
		return c.Files.Secret != ""
	case "files.s3.secret_key":
		return c.Files.S3.SecretKey != ""
	case "store.url":
		u, err := url.Parse(c.Store.URL)
		if err != nil {
			return true // libpq's other form, "host=… password=…"
		}
		_, has := u.User.Password()
		return has || u.Query().Has("password") || strings.Contains(u.Path, "password=")
	case "bus.url":
		return strings.Contains(c.Bus.URL, "@") // a user with a password, or a token
	}
	for table, secrets := range map[string]int{"auth.keys": len(c.Auth.Keys), "turn.users": len(c.Turn.Users)} {
		if secrets > 0 && (key == table || strings.HasPrefix(key, table+".") && c.places[table] == "") {
			return true
		}
	}
	return false
}
