package dev.codeforge.testing.faults;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** Carries bodies from one side to the other as they come, each piece through a gate. */
final class HttpBody {
    private static final int PIECE = 16_384;

    private HttpBody() {}

    /** @return whether the connection can be used again */
    static boolean copyAnswer(HttpHead head, String verb, InputStream in, OutputStream out, Gate gate)
            throws IOException {
        final int status = head.status();
        if (verb.equals("HEAD") || status < 200 || status == 204 || status == 304) {
            return true;
        }
        if (head.header("Transfer-Encoding").isEmpty()
                && head.header("Content-Length").isEmpty()) {
            copyRest(in, out, gate);
            return false;
        }
        copyRequest(head, in, out, gate);
        return !head.header("Connection").equalsIgnoreCase("close");
    }

    static void copyRequest(HttpHead head, InputStream in, OutputStream out, Gate gate) throws IOException {
        if (head.header("Transfer-Encoding").equalsIgnoreCase("chunked")) {
            copyChunks(in, out, gate);
        } else if (!head.header("Content-Length").isEmpty()) {
            copy(Long.parseLong(head.header("Content-Length")), in, out, gate);
        }
    }

    private static void copyChunks(InputStream in, OutputStream out, Gate gate) throws IOException {
        while (true) {
            final String size = line(in);
            final long length = Long.parseLong(size.split(";")[0].strip(), 16);
            gate.pass();
            write(size, out);
            if (length == 0) {
                break;
            }
            copy(length, in, out, gate);
            write(line(in), out);
        }
        for (String trailer = line(in); ; trailer = line(in)) {
            write(trailer, out);
            if (trailer.isEmpty()) {
                return;
            }
        }
    }

    private static String line(InputStream in) throws IOException {
        final String line = HttpHead.readLine(in);
        if (line == null) {
            throw new EOFException("cut within a body");
        }
        return line;
    }

    private static void write(String line, OutputStream out) throws IOException {
        out.write((line + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
    }

    private static void copy(long length, InputStream in, OutputStream out, Gate gate) throws IOException {
        final byte[] piece = new byte[PIECE];
        for (long left = length; left > 0; ) {
            final int read = in.read(piece, 0, (int) Math.min(left, PIECE));
            if (read < 0) {
                throw new EOFException("cut within a body");
            }
            gate.pass();
            out.write(piece, 0, read);
            out.flush();
            left -= read;
        }
    }

    /** Until one side ends the connection. */
    static void copyRest(InputStream in, OutputStream out, Gate gate) throws IOException {
        final byte[] piece = new byte[PIECE];
        for (int read = in.read(piece); read >= 0; read = in.read(piece)) {
            gate.pass();
            out.write(piece, 0, read);
            out.flush();
        }
    }
}
