// The commands of tutorials, pasted as they stand, with what their copying did to them: lost tool names, labels, long dashes, line
// joins that became blanks. Each case is a person's moves at a new page and what the terminal then shows, in this order.
import assert from 'node:assert/strict';
import { commandLine, paste, screenText, type } from './helpers.mjs';

const SERVER = '--bootstrap-server localhost:9092';
const PROTOCOL_NOTE = 'The consumer rebalance protocol (KIP-848) is production-ready! Set group.protocol=consumer to try it out. See https://kafka.apache.org/documentation/#consumer_rebalance_protocol';
const LIMIT = 15_000; // ms for something to appear
const NUMBERS = [1, 2, 3];
const ID = '[A-Za-z0-9_-]{22}';

// What a person does. The command line is the one of the terminal in view.
const pasted = text => page => paste(page, text);
const typed = line => page => type(page, line);
const press = key => page => commandLine(page).press(key);
const ENTER = press('Enter');
const openTerminal = async page => {
  const tabs = page.getByRole('tablist', { name: 'Terminals' }).getByRole('tab');
  const before = await tabs.count();
  await page.getByRole('button', { name: 'New terminal' }).click();
  await tabs.nth(before).click();
  await page.waitForFunction(() => document.querySelector('.cmdline .ps')?.textContent === '$ ');
};
const terminal = number => page => page.getByRole('tab', { name: `shell ${number}` }).click();

/** The terminal shows these, in this order, whatever stands between: texts as they are, or patterns. */
const shows = (...pieces) => async page => {
  const literal = text => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const sources = pieces.map(piece => (piece instanceof RegExp ? piece.source : literal(piece)));
  const whole = new RegExp(sources.join('[^]*?'));
  const deadline = Date.now() + LIMIT;
  for (;;) {
    const text = await screenText(page);
    if (whole.test(text)) return;
    if (Date.now() > deadline) {
      const missing = sources.findIndex((_, index) => !new RegExp(sources.slice(0, index + 1).join('[^]*?')).test(text));
      assert.fail(`not shown: ${pieces[missing]}\n--- the terminal:\n${text}`);
    }
    await page.waitForTimeout(20);
  }
};
const never = piece => async page => assert(!(await screenText(page)).includes(piece), `shown, and should not be: ${piece}`);

const topic = (partitions = 3, replicas = 2) => [
  typed(`kafka-topics.sh --create ${SERVER} --topic my-topic --partitions ${partitions} --replication-factor ${replicas}`),
  shows('Created topic my-topic.'),
];
const records = (...values) => [
  typed(`printf '${values.join('\\n')}\\n' | kafka-console-producer.sh ${SERVER} --topic my-topic`),
  shows(/\n\$ $/),
];

const row = (name, partition) => new RegExp(`\\n\tTopic: ${name}\tPartition: ${partition}\tLeader: ([1-3])\tReplicas: \\1[,123]*\tIsr: \\1[,123]*\tElr: \tLastKnownElr: (?=\\n)`);
// Back references count over the whole text, so every row is looked for by itself.
const described = (name, partitions, replicas) => [
  shows(new RegExp(`\\nTopic: ${name}\tTopicId: ${ID}\tPartitionCount: ${partitions}\tReplicationFactor: ${replicas}\tConfigs: min\\.insync\\.replicas=1\\n`)),
  ...Array.from({ length: partitions }, (_, partition) => shows(row(name, partition))),
];
const whole = command => shows('The whole line: ', command, `$ ${command}`);

const CREATE = `--create ${SERVER} --topic my-topic --partitions 3 --replication-factor 2`;
const PRODUCE = '--broker-list localhost:9092 --topic my-topic';
const CONSUME = `${SERVER} --topic my-topic --from-beginning`;
const GROUP = `${SERVER} --group my-group --describe`;
const KEYED = '--broker-list localhost:9092 --topic my-topic --property parse.key=true --property key.separator=:';
const PROPERTY_WARNING = 'Warning: --property is deprecated and will be removed in a future version. Use --reader-property instead.';

const LESSON = `# Create a topic with 6 partitions and replication factor of 3
kafka-topics.sh --create     --bootstrap-server kafka1:9092     --topic orders     --partitions 6     --replication-factor 3

# Describe topic to see partition assignment
kafka-topics.sh --describe     --bootstrap-server kafka1:9092     --topic orders

# Output:
# Topic: orders  PartitionCount: 6  ReplicationFactor: 3
# Partition: 0   Leader: 1   Replicas: 1,2,3   Isr: 1,2,3
# Partition: 1   Leader: 2   Replicas: 2,3,1   Isr: 2,3,1
# Partition: 2   Leader: 3   Replicas: 3,1,2   Isr: 3,1,2
# ...

# List all topics
kafka-topics.sh --list --bootstrap-server kafka1:9092

# Produce a test message
echo '{"order_id": 1, "amount": 29.99}' | kafka-console-producer.sh     --bootstrap-server kafka1:9092     --topic orders

# Consume messages from the beginning
kafka-console-consumer.sh     --bootstrap-server kafka1:9092     --topic orders     --from-beginning
`;
const LESSON_SHOWN = [
  shows('--replication-factor 3\nCreated topic orders.\n$ '),
  ...described('orders', 6, 3),
  shows('$ kafka-topics.sh --list --bootstrap-server kafka1:9092\norders\n$ '),
  // No prompt and no word of the producer: its stdin is no terminal.
  shows("$ echo '{", '--topic orders\n$ \n$ # Consume', '--from-beginning\n', `${PROTOCOL_NOTE}\n{"order_id": 1, "amount": 29.99}\n`),
  never('\n>'),
  press('Control+c'),
  shows('^C\n', 'Processed a total of 1 messages\n$ '),
];

const CASES = {
  'C1 create': [
    pasted(`Create a Topic: ${CREATE}`), ENTER, whole(`kafka-topics.sh ${CREATE}`),
    ENTER, shows(`$ kafka-topics.sh ${CREATE}\nCreated topic my-topic.\n$ `),
    // Asked once: from now on such lines run.
    pasted(`${CREATE}\n`), shows("Error while executing topic command : Topic 'my-topic' already exists.\n"),
    pasted(`--describe ${SERVER} --topic my-topic\n`), ...described('my-topic', 3, 2),
  ],
  'C2 list': [
    ...topic(), typed(`kafka-topics.sh --create ${SERVER} --topic another`), shows('Created topic another.'),
    pasted(`List Topics: --list ${SERVER}\n`), whole(`kafka-topics.sh --list ${SERVER}`),
    ENTER, shows(`$ kafka-topics.sh --list ${SERVER}\nanother\nmy-topic\n$ `),
  ],
  'C3 produce': [
    ...topic(), pasted(`Produce Messages: ${PRODUCE}`), ENTER, whole(`kafka-console-producer.sh ${PRODUCE}`),
    ENTER, shows('broker-list is not a recognized option\nOption ', '--bootstrap-server', `Today's line: kafka-console-producer.sh ${SERVER} --topic my-topic`),
    press('Control+o'), shows(`$ kafka-console-producer.sh ${SERVER} --topic my-topic\n>`),
    // What is pasted behind a running producer goes to its stdin; the last line waits for Enter.
    pasted('one\ntwo\nthree'), shows(/\n>one\n>two\n>three$/), ENTER, shows(/\n>three\n>$/),
    press('Control+d'), shows(/\n\$ $/),
    typed(`kafka-get-offsets.sh ${SERVER} --topic my-topic | cut -d: -f3 | sort -n | tail -n 1`), shows(/\n3\n\$ $/),
  ],
  'C4 consume': [
    ...topic(), ...records('first', 'second'),
    pasted(`Consume Messages: ${CONSUME}`), ENTER, whole(`kafka-console-consumer.sh ${CONSUME}`),
    ENTER, shows(`${PROTOCOL_NOTE}\nfirst\nsecond\n`),
    press('Control+c'), shows('^C\n', 'Processed a total of 2 messages\n$ '),
  ],
  'C5 describe': [
    ...topic(), pasted(`Describe a Topic: --describe ${SERVER} --topic my-topic`), ENTER, whole(`kafka-topics.sh --describe ${SERVER} --topic my-topic`),
    ENTER, ...described('my-topic', 3, 2),
  ],
  'C6 delete': [
    ...topic(), pasted(`Delete a Topic: --delete ${SERVER} --topic my-topic`), ENTER, whole(`kafka-topics.sh --delete ${SERVER} --topic my-topic`),
    ENTER, shows(new RegExp(`\\n\\$ kafka-topics\\.sh --delete ${SERVER} --topic my-topic\\n\\$ $`)),
    pasted(`--delete ${SERVER} --topic my-topic\n`), shows("Error while executing topic command : Topic 'my-topic' does not exist as expected\n"),
  ],
  'C7 group': [
    ...topic(), ...records('early'), pasted(`View Consumer Group Offset: ${GROUP}`), ENTER, whole(`kafka-consumer-groups.sh ${GROUP}`),
    ENTER, shows('\n\nError: Executing consumer group command failed due to org.apache.kafka.common.errors.GroupIdNotFoundException: Group my-group not found.\n'),
    typed(`kafka-console-consumer.sh ${CONSUME} --group my-group`), shows(`${PROTOCOL_NOTE}\nearly\n`),
    openTerminal, pasted(`kafka-console-producer.sh ${SERVER} --topic my-topic\nlate\n`), shows(/\n>late\n>$/),
    terminal(1), shows('early\nlate\n'),
    openTerminal, pasted(`kafka-consumer-groups.sh ${GROUP}\n`),
    shows(/\n\nGROUP +TOPIC +PARTITION +CURRENT-OFFSET +LOG-END-OFFSET +LAG +CONSUMER-ID +HOST +CLIENT-ID\n/),
    ...[0, 1, 2].map(partition => shows(new RegExp(`\\nmy-group +my-topic +${partition} +[-\\d]+ +\\d+ +[-\\d]+ +console-consumer-[0-9a-f-]{36} /127\\.0\\.0\\.1 +console-consumer\\n`))),
    terminal(1), press('Control+c'), shows('Processed a total of 2 messages\n$ '),
    pasted(`kafka-consumer-groups.sh ${GROUP}\n`), shows("\nConsumer group 'my-group' has no active members.\n", /\nmy-group +my-topic +0 +\d+ +\d+ +0 +- +- +-/),
  ],
  'C8 health': [
    pasted(`Cluster Health Check: ${SERVER}`), ENTER, shows('no health check', 'The whole line: '), whole(`kafka-broker-api-versions.sh ${SERVER}`),
    ENTER,
    ...NUMBERS.map(id => shows(`\nkafka${id}:9092 (id: ${id} rack: null isFenced: false) -> (\n\tProduce(0): 0 to 13 [usable: 13],\n\tFetch(1): `, '[usable: ', '\n)\n')),
  ],
  'C9 keys': [
    ...topic(), pasted(KEYED), ENTER, whole(`kafka-console-producer.sh ${KEYED}`),
    ENTER, shows('broker-list is not a recognized option\nOption ', "Today's line: "),
    press('Control+o'), shows(`${PROPERTY_WARNING}\n>`),
    typed('k1:v1'), shows(/\n>k1:v1\n>$/), typed('nokey'),
    shows("\n>nokey\norg.apache.kafka.common.KafkaException: No key separator found on line number 2: 'nokey'\n", /\n\$ $/),
    typed(`kafka-console-consumer.sh ${SERVER} --topic my-topic --partition 2 --from-beginning --max-messages 1 --formatter-property print.key=true`),
    shows('\nk1\tv1\n', 'Processed a total of 1 messages'),
  ],
  'C10 help': [
    pasted('--help\n'), shows('$ help\n'),
    ...topic(), pasted('\u2014help\n'), shows('long dashes became --', 'Run as: kafka-topics.sh --help', '\n$ kafka-topics.sh --help\nThis tool helps to create, delete, describe, or change a topic.\nOption '),
  ],
  'C11 property': [
    ...topic(), pasted('\u2014property parse.key=true'), ENTER, shows('long dashes became --', 'part of a kafka-console-producer line'),
    whole(`kafka-console-producer.sh ${SERVER} --topic my-topic --property parse.key=true --property key.separator=:`),
    ENTER, shows(`${PROPERTY_WARNING}\n>`), press('Control+c'), shows('\n>^C\n$ '),
  ],
  'E1-E5 the whole block': [pasted(LESSON), ...LESSON_SHOWN],
  'E1-E5 joined by backslashes': [pasted(LESSON.replaceAll(' '.repeat(5), ' \\\n    ')), shows('> \x20   --partitions 6 \\\n'), shows(`${PROTOCOL_NOTE}\n{"order_id": 1, "amount": 29.99}\n`)],
  'E1-E5 typed line by line': [...LESSON.trimEnd().split('\n').map(typed), ...LESSON_SHOWN],
  'a whole list of labelled lines': [
    pasted([`Create a Topic: ${CREATE}`, `List Topics: --list ${SERVER}`, `Describe a Topic: --describe ${SERVER} --topic my-topic`, `Delete a Topic: --delete ${SERVER} --topic my-topic`].join('\n')),
    whole(`kafka-topics.sh ${CREATE}`), ENTER, shows('\nmy-topic\n', '\n$ Delete a Topic: --delete'), ...described('my-topic', 3, 2),
    ENTER, shows(new RegExp(`\\n\\$ kafka-topics\\.sh --delete ${SERVER} --topic my-topic\\n\\$ $`)),
  ],
  'other damage': [
    pasted('kafka-topics \u2014create \u2014topic \u201corders\u201d \u2014bootstrap-server \u2018localhost:9092\u2019\n'), shows('curly quotes', 'Created topic orders.\n'),
    pasted('1. **List Topics:** `kafka-topics.sh\u00a0--list --bootstrap-server localhost:9092`\n'), shows('the label in front was dropped', '\norders\n$ '),
    pasted('$ kafka-topics.sh --describe --bootstrap-server localhost:9092 --topic <topic-name>\n'), shows("bash: syntax error near unexpected token `newline'", /topic-name\? $/),
    press('Tab'), shows(/topic-name\? orders $/), ENTER, ...described('orders', 1, 1),
    pasted('kafka-topics.sh --create --zookeeper localhost:2181 --replication-factor 1 --partitions 1 --topic test\n'), shows('zookeeper is not a recognized option\n', "Today's line: "),
    press('Control+o'), shows('Created topic test.\n'),
    pasted('docker exec -it kafka1 /opt/kafka/bin/kafka-topics.sh --list --bootstrap-server kafka:9092\n'), shows('No broker is called kafka:9092', '\norders\ntest\n$ '),
  ],
};

export const tests = Object.fromEntries(Object.entries(CASES).map(([name, moves]) => [name, async session => {
  const page = await session.open();
  for (const move of moves) await move(page);
  if (name.startsWith('C3') || name.endsWith('block')) await session.screenshot(page, `tutorial-${name.split(' ')[0]}`);
}]));
