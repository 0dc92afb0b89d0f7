"""A relying party made with Authlib and Flask. It serves one person at a time; ../README.md says its paths."""

import os
from pathlib import Path

from authlib.integrations.flask_client import OAuth, OAuthError
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from flask import Flask, request

ISSUER = os.environ["ISSUER"]
ORIGIN = os.environ["ORIGIN"]
tokens = {}


def keep(token, **_):
    tokens.update(token)


def client():
    """The party proves itself by a key if it has one, else by a secret."""
    settings = {"client_secret": os.environ.get("CLIENT_SECRET")}
    kwargs = {"scope": os.environ["SCOPE"], "code_challenge_method": "S256"}
    if "CLIENT_KEY" in os.environ:
        settings = {"client_secret": Path(os.environ["CLIENT_KEY"]).read_text(), "client_auth_methods": [PrivateKeyJWT()]}
        kwargs["token_endpoint_auth_method"] = PrivateKeyJWT.name
    return OAuth(app).register(
        "doorward",
        client_id=os.environ["CLIENT_ID"],
        server_metadata_url=f"{ISSUER}/.well-known/openid-configuration",
        client_kwargs=kwargs,
        update_token=keep,
        **settings,
    )


app = Flask(__name__)
app.secret_key = os.urandom(32)
provider = client()


@app.errorhandler(OAuthError)
def refused(error):
    return {"error": error.error}


@app.get("/login")
def login():
    return provider.authorize_redirect(f"{ORIGIN}/callback", **request.args)


@app.get("/callback")
def callback():
    token = provider.authorize_access_token()
    keep(token)
    return {"claims": token["userinfo"]}


@app.get("/userinfo")
def userinfo():
    return provider.userinfo(token=dict(tokens))


@app.get("/refresh")
def refresh():
    """Authlib refreshes by itself when a token is out; this one is said to be."""
    known = provider.userinfo(token={**tokens, "expires_at": 1})
    claims = provider.parse_id_token(tokens, nonce=None)
    assert known["sub"] == claims["sub"]
    return {"claims": claims}


@app.get("/logout")
def logout():
    return provider.logout_redirect(f"{ORIGIN}/bye", id_token_hint=tokens["id_token"])


@app.get("/bye")
def bye():
    provider.validate_logout_response()
    return {"bye": True}


app.run(port=int(os.environ["PORT"]))
