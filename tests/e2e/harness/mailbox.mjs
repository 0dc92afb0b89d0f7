// A mail server that takes everything and keeps it: everybody's mailbox.
import { SMTPServer } from "smtp-server";
import { until } from "./wait.mjs";

export class Mailbox {
  static async start() {
    const mailbox = new Mailbox();
    await new Promise((done, fail) => mailbox.server.on("error", fail).listen(0, "127.0.0.1", done));
    mailbox.port = mailbox.server.server.address().port;
    return mailbox;
  }

  constructor() {
    /** Mails in the order of their arrival: `{ to, subject, text }`. */
    this.mails = [];
    this.server = new SMTPServer({
      disabledCommands: ["AUTH", "STARTTLS"],
      onData: (stream, session, done) => {
        const parts = [];
        stream.on("data", (part) => parts.push(part));
        stream.on("end", () => {
          this.mails.push(...session.envelope.rcptTo.map(({ address }) => read(address, Buffer.concat(parts).toString())));
          done();
        });
      },
    });
  }

  /** The blueprint that sends mail here. */
  get blueprint() {
    return `email { smtp "smtp://127.0.0.1:${this.port}" security=plain; from "Home <door@example.com>" }`;
  }

  /** The mail to `address` whose subject has these words, once it is there. */
  async mail(address, words) {
    let found;
    await until(`a mail to ${address} about "${words}"`, () => {
      found = this.mails.find((mail) => mail.to === address && mail.subject.includes(words));
      return found !== undefined;
    });
    return found;
  }

  /** The link in that mail, which is taken out of the mailbox. */
  async link(address, words) {
    const mail = await this.mail(address, words);
    this.mails.splice(this.mails.indexOf(mail), 1);
    const link = mail.text.match(/https:\/\/[^\s"'<>]+/)?.[0];
    if (!link) throw new Error(`no link in ${mail.text}`);
    return link;
  }

  async stop() {
    await new Promise((done) => this.server.close(done));
  }
}

/** Headers and the text, as far as mails of ours need it: quoted-printable (RFC 2045 §6.7) in the first part. */
function read(to, raw) {
  const subject = raw.match(/^Subject: (.*(?:\r\n[ \t].*)*)/m)?.[1].replace(/\r\n[ \t]+/g, " ") ?? "";
  const bytes = raw.replace(/=\r\n/g, "").replace(/=([0-9A-F]{2})/g, (_, code) => String.fromCharCode(parseInt(code, 16)));
  return { to, subject, text: Buffer.from(bytes, "latin1").toString() };
}
