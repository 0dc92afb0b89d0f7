use super::{NONE, complaints};

fn email(smtp: &str) -> Vec<String> {
    complaints(&format!("email {{ smtp {smtp}; from \"Home <a@example.com>\" }}"))
}

#[test]
fn flows_that_send_mail_say_what_will_not_work_without_a_server() {
    let flow = "flow f for=authentication { identification; email-link; login }";
    assert_eq!(complaints(flow), ["no-mail-server: email-link"]);
    let email = "email { smtp \"smtps://mail.example.com\"; from \"a@example.com\" }";
    assert_eq!(complaints(&format!("{email}\n{flow}")), NONE);
}

#[test]
fn encryption_is_given_up_only_where_it_is_said_and_never_silently() {
    assert_eq!(email("\"smtp://mail.example.com\""), NONE);
    assert_eq!(email("\"smtp://127.0.0.1:2525\""), NONE);
    assert_eq!(email("\"smtp://127.0.0.1:2525\" security=plain"), NONE);
    assert_eq!(email("\"smtp://mail.example.com\" security=plain"), ["mail-in-the-clear: plain"]);
    assert_eq!(email("\"smtps://mail.example.com\" security=plain"), ["smtp-security: plain"]);
    assert_eq!(email("\"smtps://mail.example.com\" security=ssl"), ["unknown-value: ssl"]);
}

#[test]
fn a_user_comes_with_a_password() {
    let server = "\"smtps://mail.example.com\"";
    assert_eq!(email(&format!("{server} username=a password=(credential)mail")), NONE);
    assert_eq!(email(&format!("{server} username=a")), ["half-a-login: a"]);
    assert_eq!(email(&format!("{server} password=(credential)mail")), ["half-a-login: mail"]);
}

#[test]
fn what_is_no_mail_server_is_pointed_at() {
    assert_eq!(email("\"https://mail.example.com\""), ["bad-url: \"https://mail.example.com\""]);
    assert_eq!(email("\"smtp://mail.example.com/x\""), ["bad-url: \"smtp://mail.example.com/x\""]);
    assert_eq!(
        complaints("email { smtp \"smtps://mail.example.com\"; from \"Home <a@b\" }"),
        ["bad-email: \"Home <a@b\""]
    );
}
