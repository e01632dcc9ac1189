# The operator, from what `mvn package` made.
ARG BASE_IMAGE=eclipse-temurin:25-jre
FROM ${BASE_IMAGE}
# curl serves the chart's test; a base that has both already needs no package index.
RUN command -v tini >/dev/null && command -v curl >/dev/null \
    || (apt-get update && apt-get install -y --no-install-recommends curl tini && rm -rf /var/lib/apt/lists/*)
WORKDIR /opt/codeforge
COPY target/lib lib
COPY target/codeforge-operator.jar .
USER 10001:10001
EXPOSE 8081
ENTRYPOINT ["tini", "-s", "--", "java", "-XX:+ExitOnOutOfMemoryError", "-cp", "codeforge-operator.jar:lib/*", "dev.codeforge.Main"]
CMD ["operator"]
