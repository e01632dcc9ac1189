package dev.codeforge.operator.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class DestinationsTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "http://llm.team.svc:4000/v1 | pods of team",
                "http://llm.team.svc.cluster.local | pods of team",
                "http://0.llm.team.svc | pods of team",
                "http://llm/v1 | pods of own, port 80",
                "http://llm.team:4000 | pods of team, port 4000",
                "https://llm.team | pods of team",
                "https://llm.example.org/v1 | ''",
                "https://llm.example.org:443/v1 | port 443",
                "http://llm.example.org/v1 | port 80",
                "https://user:word@git.example.org:8443/team/ | port 8443",
                "ssh://git@git.example.org/team | ''",
                "git@git.team.svc:team/repository.git | pods of team",
                "git@git.example.org:team/repository.git | ''",
                "http://10.1.2.3:8000/v1 | 10.1.2.3:8000",
                "https://[fd12::1]/v1 | fd12:0:0:0:0:0:0:1:443",
                "'tls://nats-0.mq.svc:4222,nats-1.example.org:4222' | pods of mq, port 4222",
                "nats://nats.mq.svc | pods of mq"
            })
    void aUrlNamesAServer(String url, String expected) {
        assertThat(told(Destinations.ofUrl(url, "own"))).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "true",
                "/etc/models/models.json",
                "sk-key",
                "http://$(HOST):80/",
                "http://localhost:4000",
                "postgres://example.org/base",
                "https://llm.example.org:0/",
                "https://llm.example.org:99999/",
                "http://",
                "see http://llm.team.svc"
            })
    void whatNamesNoServerIsNone(String text) {
        assertThat(Destinations.ofUrl(text, "own")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "packages.example.org | ''",
                ".example.org | ''",
                "git.example.org:8443 | port 8443",
                ".example.org:8443 | port 8443",
                "git.team.svc:8443 | pods of team",
                ".team:8443 | pods of team, port 8443",
                ".team.svc:8443 | pods of team"
            })
    void anEntryNamesAServer(String entry, String expected) {
        assertThat(told(Destinations.ofEntry(entry, "own"))).isEqualTo(expected);
    }

    private static String told(List<Destination> found) {
        return found.stream()
                .map(one -> switch (one) {
                    case Destination.Address at -> at.address().getHostAddress() + ":" + at.port();
                    case Destination.Service service -> "pods of " + service.namespace();
                    case Destination.AnyHost host -> "port " + host.port();
                })
                .collect(Collectors.joining(", "));
    }
}
