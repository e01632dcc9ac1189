// Command core plays CodeForge's Go core beside the operator: it puts a plain task on a pool's subject and reads its outcome,
// as a listener that is there and as one that comes late. It knows CodeForge's fields only, nothing of AgentTasks.
//
//	core --url nats://HOST:PORT [--creds FILE | --user U --password P] --subject tasks.agent.BACKEND --prompt PROMPT
//
// stdout: the outcome as JSON. Exit code: 0 when both listeners read the same end, whatever it is; else 1 with a sentence.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const patience = 60 * time.Second

func main() {
	var url, creds, user, password, subject string
	var asked task
	flag.StringVar(&url, "url", nats.DefaultURL, "NATS server")
	flag.StringVar(&creds, "creds", "", "file with credentials, such as admin.creds of the Secret codeforge-nats-users")
	flag.StringVar(&user, "user", "", "user, empty for none")
	flag.StringVar(&password, "password", "", "its password")
	flag.StringVar(&subject, "subject", "", "subject of the pool, tasks.agent.<backend>")
	flag.StringVar(&asked.Backend, "backend", "command", "backend of the pool")
	flag.StringVar(&asked.Prompt, "prompt", "", "what the agent is asked")
	flag.Parse()
	asked.TaskID = "core-" + nats.NewInbox()[len("_INBOX."):]
	asked.ProjectID, asked.Title, asked.Config = "project-1", "From CodeForge's core", map[string]string{}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	login := nats.UserInfo(user, password)
	if creds != "" {
		login = nats.UserCredentials(creds)
	}
	connection, err := nats.Connect(url, login)
	if err == nil {
		defer connection.Close()
		err = play(ctx, connection, subject, asked)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "core:", err)
		os.Exit(1)
	}
}

func play(ctx context.Context, connection *nats.Conn, subject string, asked task) error {
	live, err := connection.SubscribeSync("results." + asked.TaskID)
	if err != nil {
		return err
	}
	if err := publish(ctx, connection, subject, asked); err != nil {
		return fmt.Errorf("the task was not stored on %s: %w", subject, err)
	}
	seen, err := lastOf(ctx, live)
	if err != nil {
		return fmt.Errorf("no end of %s was heard: %w", asked.TaskID, err)
	}
	kept, err := kept(ctx, connection, asked.TaskID)
	if err != nil {
		return fmt.Errorf("no end of %s is kept: %w", asked.TaskID, err)
	}
	heard, err := json.Marshal(seen)
	if err != nil {
		return err
	}
	read, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	if string(heard) != string(read) {
		return fmt.Errorf("heard %s, but %s is kept", heard, read)
	}
	if seen.TaskID != asked.TaskID || seen.ProjectID != asked.ProjectID {
		return fmt.Errorf("the result of %s in %s speaks of %s in %s", asked.TaskID, asked.ProjectID, seen.TaskID, seen.ProjectID)
	}
	fmt.Println(string(heard))
	return nil
}

func publish(ctx context.Context, connection *nats.Conn, subject string, asked task) error {
	stream, err := jetstream.New(connection)
	if err != nil {
		return err
	}
	body, err := json.Marshal(asked)
	if err != nil {
		return err
	}
	message := nats.NewMsg(subject)
	message.Data = body
	message.Header.Set("X-Request-ID", asked.TaskID)
	message.Header.Set("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	_, err = stream.PublishMsg(ctx, message, jetstream.WithMsgID(asked.TaskID))
	return err
}

// lastOf listens over core NATS until the task has ended.
func lastOf(ctx context.Context, live *nats.Subscription) (result, error) {
	for {
		message, err := live.NextMsgWithContext(ctx)
		if err != nil {
			return result{}, err
		}
		if seen, err := read(message.Data); err != nil || seen.ended() {
			return seen, err
		}
	}
}

// kept reads the task's end as one that was not there when it happened.
func kept(ctx context.Context, connection *nats.Conn, id string) (result, error) {
	stream, err := jetstream.New(connection)
	if err != nil {
		return result{}, err
	}
	consumer, err := stream.OrderedConsumer(ctx, "RESULTS", jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{"results." + id}, DeliverPolicy: jetstream.DeliverLastPolicy,
	})
	if err != nil {
		return result{}, err
	}
	message, err := consumer.Next(jetstream.FetchMaxWait(10 * time.Second))
	if err != nil {
		return result{}, err
	}
	return read(message.Data())
}

func read(body []byte) (result, error) {
	var seen result
	if err := json.Unmarshal(body, &seen); err != nil {
		return result{}, fmt.Errorf("%q is no result: %w", body, err)
	}
	return seen, nil
}
