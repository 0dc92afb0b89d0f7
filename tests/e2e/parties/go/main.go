// A relying party made with golang.org/x/oauth2 and go-oidc. It serves one person at a time; ../README.md says its paths.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

type party struct {
	config   oauth2.Config
	provider *oidc.Provider
	verifier *oidc.IDTokenVerifier
	signOut  string

	state, nonce, pkce string
	token              *oauth2.Token
	idToken            string
	device             *oauth2.DeviceAuthResponse
}

type claims map[string]any

func main() {
	party, err := discover(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/login", party.login)
	http.HandleFunc("/logout", party.logout)
	answer("/callback", party.callback)
	answer("/userinfo", party.userinfo)
	answer("/refresh", party.refresh)
	answer("/bye", party.bye)
	answer("/device", party.askForDevice)
	answer("/device/token", party.waitForDevice)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}

func discover(ctx context.Context) (*party, error) {
	provider, err := oidc.NewProvider(ctx, os.Getenv("ISSUER"))
	if err != nil {
		return nil, err
	}
	var more struct {
		SignOut string `json:"end_session_endpoint"`
	}
	if err := provider.Claims(&more); err != nil {
		return nil, err
	}
	id := os.Getenv("CLIENT_ID")
	return &party{
		config: oauth2.Config{
			ClientID:     id,
			ClientSecret: os.Getenv("CLIENT_SECRET"),
			Endpoint:     provider.Endpoint(),
			RedirectURL:  os.Getenv("ORIGIN") + "/callback",
			Scopes:       strings.Fields(os.Getenv("SCOPE")),
		},
		provider: provider,
		verifier: provider.Verifier(&oidc.Config{ClientID: id}),
		signOut:  more.SignOut,
	}, nil
}

// answer serves what a function returns, as JSON.
func answer(path string, act func(*http.Request) (any, error)) {
	http.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		value, err := act(r)
		if err != nil {
			value = map[string]string{"error": reason(err)}
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(value)
	})
}

func reason(err error) string {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.ErrorCode != "" {
		return refused.ErrorCode
	}
	return err.Error()
}

func (p *party) login(w http.ResponseWriter, r *http.Request) {
	p.state, p.nonce, p.pkce = oauth2.GenerateVerifier(), oauth2.GenerateVerifier(), oauth2.GenerateVerifier()
	options := []oauth2.AuthCodeOption{oidc.Nonce(p.nonce), oauth2.S256ChallengeOption(p.pkce)}
	if prompt := r.FormValue("prompt"); prompt != "" {
		options = append(options, oauth2.SetAuthURLParam("prompt", prompt))
	}
	http.Redirect(w, r, p.config.AuthCodeURL(p.state, options...), http.StatusFound)
}

func (p *party) callback(r *http.Request) (any, error) {
	if r.FormValue("state") != p.state {
		return nil, errors.New("the state is another")
	}
	if code := r.FormValue("error"); code != "" {
		return nil, errors.New(code)
	}
	token, err := p.config.Exchange(r.Context(), r.FormValue("code"), oauth2.VerifierOption(p.pkce))
	if err != nil {
		return nil, err
	}
	idToken, err := p.keep(r.Context(), token)
	if err != nil {
		return nil, err
	}
	if idToken.Nonce != p.nonce {
		return nil, errors.New("the nonce is another")
	}
	return told(idToken)
}

// keep verifies an ID token, and that it belongs to its access token, and remembers both.
func (p *party) keep(ctx context.Context, token *oauth2.Token) (*oidc.IDToken, error) {
	raw, _ := token.Extra("id_token").(string)
	idToken, err := p.verifier.Verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	if err := idToken.VerifyAccessToken(token.AccessToken); err != nil {
		return nil, err
	}
	p.token, p.idToken = token, raw
	return idToken, nil
}

func told(idToken *oidc.IDToken) (any, error) {
	var found claims
	err := idToken.Claims(&found)
	return map[string]claims{"claims": found}, err
}

func (p *party) userinfo(r *http.Request) (any, error) {
	known, err := p.provider.UserInfo(r.Context(), oauth2.StaticTokenSource(p.token))
	if err != nil {
		return nil, err
	}
	var found claims
	err = known.Claims(&found)
	return found, err
}

func (p *party) refresh(r *http.Request) (any, error) {
	old := &oauth2.Token{RefreshToken: p.token.RefreshToken}
	token, err := p.config.TokenSource(r.Context(), old).Token()
	if err != nil {
		return nil, err
	}
	idToken, err := p.keep(r.Context(), token)
	if err != nil {
		return nil, err
	}
	return told(idToken)
}

func (p *party) logout(w http.ResponseWriter, r *http.Request) {
	p.state = oauth2.GenerateVerifier()
	query := url.Values{
		"id_token_hint":            {p.idToken},
		"post_logout_redirect_uri": {os.Getenv("ORIGIN") + "/bye"},
		"state":                    {p.state},
	}
	http.Redirect(w, r, p.signOut+"?"+query.Encode(), http.StatusFound)
}

func (p *party) bye(r *http.Request) (any, error) {
	return map[string]bool{"bye": r.FormValue("state") == p.state}, nil
}

func (p *party) askForDevice(r *http.Request) (any, error) {
	var err error
	p.device, err = p.config.DeviceAuth(r.Context())
	return p.device, err
}

func (p *party) waitForDevice(r *http.Request) (any, error) {
	token, err := p.config.DeviceAccessToken(r.Context(), p.device)
	if err != nil {
		return nil, err
	}
	idToken, err := p.keep(r.Context(), token)
	if err != nil {
		return nil, err
	}
	return told(idToken)
}
