package auth

import (
	"errors"

	"github.com/golang-jwt/jwt/v5"

	"carillon/refusal"
)

// refusals stand in the order of their weight: a token that is both expired and forged is
// refused as forged.
var refusals = []struct {
	is      error
	code    refusal.Code
	message string
}{
	{jwt.ErrTokenSignatureInvalid, refusal.TokenWrongKey, "The token is signed by a key that this server does not know. Compare auth.keys or auth.jwks_url with your backend's key and its name (kid)."},
	{jwt.ErrTokenMalformed, refusal.TokenMalformed, "This is not a JWT."},
	{jwt.ErrTokenInvalidIssuer, refusal.TokenMalformed, "The token's iss is not auth.issuer."},
	{jwt.ErrTokenInvalidAudience, refusal.TokenMalformed, "The token's aud does not hold auth.audience: it is for somebody else."},
	{jwt.ErrTokenExpired, refusal.TokenExpired, "The token has expired. Mint a new one."},
	{jwt.ErrTokenNotValidYet, refusal.TokenNotYet, "The token is not valid yet. Compare the clocks of your backend and this server."},
	{jwt.ErrTokenUsedBeforeIssued, refusal.TokenNotYet, "The token was issued in the future. Compare the clocks of your backend and this server."},
}

// refusalOf turns an error of the JWT library into a refusal.
func refusalOf(err error) error {
	if err == nil {
		return nil
	}
	for _, r := range refusals {
		if errors.Is(err, r.is) {
			return refusal.New(r.code, "%s", r.message)
		}
	}
	return refusal.New(refusal.TokenMalformed, "The token lacks what it needs: sub, exp, and a signature by HS256 or by a key of auth.jwks_url.")
}
