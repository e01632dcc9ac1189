package dev.codeforge;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Who may know whom. */
@AnalyzeClasses(packages = "dev.codeforge", importOptions = ImportOption.DoNotIncludeTests.class)
final class ArchitectureTest {
    private static final String NATS = "io.nats..";
    private static final String KUBERNETES_CLIENT = "io.fabric8.kubernetes.client..";

    @ArchTest
    static final ArchRule onlyJetstreamAndIdentityKnowTheNatsClient = noClasses()
            .that()
            .resideOutsideOfPackages("dev.codeforge.jetstream..", "dev.codeforge.identity..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage(NATS);

    @ArchTest
    static final ArchRule identityConnectsNowhereAndKnowsNobodyElse = noClasses()
            .that()
            .resideInAPackage("dev.codeforge.identity..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "io.nats.client.impl..",
                    "io.nats.client.api..",
                    "io.fabric8..",
                    "io.javaoperatorsdk..",
                    "dev.codeforge.api..",
                    "dev.codeforge.jetstream..",
                    "dev.codeforge.operator..",
                    "dev.codeforge.wire..");

    @ArchTest
    static final ArchRule theConsoleKnowsNothingOfTheOperator = noClasses()
            .that()
            .resideInAPackage("dev.codeforge.console..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("dev.codeforge.operator..");

    @ArchTest
    static final ArchRule onlyTheConsolesHttpKnowsTheWebServer = noClasses()
            .that()
            .resideOutsideOfPackage("dev.codeforge.console.http..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.javalin..", "org.eclipse.jetty..");

    @ArchTest
    static final ArchRule onlyTracingKnowsOpenTelemetry = noClasses()
            .that()
            .resideOutsideOfPackage("dev.codeforge.operator.tracing..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.opentelemetry..");

    @ArchTest
    static final ArchRule jetstreamKnowsNoKubernetes = noClasses()
            .that()
            .resideInAPackage("dev.codeforge.jetstream..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "io.fabric8..", "io.javaoperatorsdk..", "dev.codeforge.api..", "dev.codeforge.operator..");

    @ArchTest
    static final ArchRule theWireKnowsNoClientAndNobodyElse = noClasses()
            .that()
            .resideInAPackage("dev.codeforge.wire..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    NATS,
                    "io.fabric8..",
                    "io.javaoperatorsdk..",
                    "dev.codeforge.api..",
                    "dev.codeforge.jetstream..",
                    "dev.codeforge.operator..");

    @ArchTest
    static final ArchRule theApiKnowsNothingOfTheOperator = noClasses()
            .that()
            .resideInAPackage("dev.codeforge.api..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("dev.codeforge.operator..", "dev.codeforge.jetstream..", "dev.codeforge.wire..", NATS);

    @ArchTest
    static final ArchRule whatDecidesKnowsNoClient = noClasses()
            .that()
            .haveSimpleNameEndingWith("Planner")
            .or()
            .haveSimpleNameEndingWith("StatusBuilder")
            .or()
            .haveSimpleNameEndingWith("Plan")
            .or()
            .haveSimpleNameEndingWith("Snapshot")
            .or()
            .haveSimpleName("Conditions")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(NATS, KUBERNETES_CLIENT, "io.javaoperatorsdk..");

    @ArchTest
    static final ArchRule whatDecidesIsToldTheTime = noClasses()
            .that()
            .haveSimpleNameEndingWith("Planner")
            .or()
            .haveSimpleNameEndingWith("StatusBuilder")
            .should()
            .callMethod(java.time.Instant.class, "now")
            .orShould()
            .callMethod(System.class, "currentTimeMillis")
            .orShould()
            .callMethod(java.time.Clock.class, "systemUTC");

    @ArchTest
    static final ArchRule namesSayWhatAClassIs = noClasses()
            .should()
            .haveSimpleNameEndingWith("Utils")
            .orShould()
            .haveSimpleNameEndingWith("Util")
            .orShould()
            .haveSimpleNameEndingWith("Manager")
            .orShould()
            .haveSimpleNameEndingWith("Helper")
            .orShould()
            .resideInAnyPackage("..utils..", "..util..", "..common..", "..helpers..");

    @ArchTest
    static final ArchRule theMainPackagesFormNoCycle =
            slices().matching("dev.codeforge.(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule aPoolsRoomsKnowNoneAboveThem = noClasses()
            .that()
            .resideInAnyPackage("dev.codeforge.operator.pool.*..", "dev.codeforge.operator.scaling")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("dev.codeforge.operator.pool");

    @ArchTest
    static final ArchRule workersAndTheirAccessKnowNothingOfScaling = noClasses()
            .that()
            .resideInAPackage("dev.codeforge.operator.pool.*..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("dev.codeforge.operator.scaling");

    @ArchTest
    static final ArchRule anAccessKnowsNoWorkers = noClasses()
            .that()
            .resideInAPackage("dev.codeforge.operator.pool.access..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("dev.codeforge.operator.pool.workers..");

    @ArchTest
    static final ArchRule aTasksRoomsKnowNothingOfItsWalk = noClasses()
            .that()
            .resideInAPackage("dev.codeforge.operator.task.*..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("dev.codeforge.operator.task");

    @ArchTest
    static final ArchRule aStatusKnowsNothingOfAdmission = noClasses()
            .that()
            .resideInAnyPackage("dev.codeforge.operator.task.status..", "dev.codeforge.operator.task.loss..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("dev.codeforge.operator.task.admission..");

    @ArchTest
    static final ArchRule resultsKnowNothingOfTasks = noClasses()
            .that()
            .resideInAPackage("dev.codeforge.operator.results..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("dev.codeforge.operator.task..");

    @ArchTest
    static final ArchRule exceptionsAreNamedSo =
            classes().that().areAssignableTo(Exception.class).should().haveSimpleNameEndingWith("Exception");
}
