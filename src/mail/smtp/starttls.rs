//! What is said in the clear before TLS: a greeting, `EHLO`, `STARTTLS`, and nothing else.
//!
//! Replies are read byte by byte, so that nothing that came before TLS is taken for what came
//! through it.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::failure::{Failure, Stage};

const LONGEST_REPLY: usize = 16 * 1024;

/// Asks for TLS. A server that does not offer it is left.
pub async fn ask(mut tcp: TcpStream, hello: &str) -> Result<TcpStream, Failure> {
    expect(&mut tcp, Stage::Greeting, "220").await?;
    say(&mut tcp, &format!("EHLO {hello}\r\n")).await?;
    let offers = expect(&mut tcp, Stage::Greeting, "250").await?;
    if !offers.iter().skip(1).any(|offer| offer.trim().eq_ignore_ascii_case("STARTTLS")) {
        let _ = tcp.write_all(b"QUIT\r\n").await;
        return Err(Failure::no_starttls());
    }
    say(&mut tcp, "STARTTLS\r\n").await?;
    expect(&mut tcp, Stage::Starttls, "220").await?;
    Ok(tcp)
}

async fn say(tcp: &mut TcpStream, line: &str) -> Result<(), Failure> {
    let said = tcp.write_all(line.as_bytes()).await;
    said.map_err(|error| Failure::broken(Stage::Starttls, &error))
}

/// The lines of a reply, without their codes, if it is the expected one.
async fn expect(tcp: &mut TcpStream, stage: Stage, code: &str) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    let mut left = LONGEST_REPLY;
    loop {
        let line = line(tcp, stage, &mut left).await?;
        let (Some(found), mark) = (line.get(..3), line.get(3..4).unwrap_or(" ")) else {
            return Err(Failure::greeting(stage, &line));
        };
        if found != code || !matches!(mark, " " | "-") {
            return Err(Failure::greeting(stage, &line));
        }
        lines.push(line.get(4..).unwrap_or("").to_owned());
        if mark == " " {
            return Ok(lines);
        }
    }
}

async fn line(tcp: &mut TcpStream, stage: Stage, left: &mut usize) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    loop {
        let byte = tcp.read_u8().await.map_err(|error| Failure::broken(stage, &error))?;
        *left = left.saturating_sub(1);
        if *left == 0 {
            return Err(Failure::greeting(stage, "more than a reply may hold"));
        }
        if byte == b'\n' {
            return Ok(String::from_utf8_lossy(&bytes).trim_end_matches('\r').to_owned());
        }
        bytes.push(byte);
    }
}
