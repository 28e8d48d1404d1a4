// Runs the self-test, and then reads an image again and again.
#include <@name@.h>

static uint8_t image[@upper@_PIXELS];  // fill it from a camera, a touch screen or the serial port

void setup() {
  Serial.begin(115200);
  while (!Serial) {
  }
  int wrong = @name@_selftest();
  Serial.print("self-test: ");
  Serial.println(wrong == 0 ? "passed" : "FAILED");
}

void loop() {
  unsigned long start = micros();
  uint8_t logits[@upper@_CLASSES];
  @name@_logits(image, logits);
  unsigned long spent = micros() - start;
  if (@name@_accepted(logits)) {
    Serial.print("class ");
    Serial.print(@name@_largest(logits));
  } else {
    Serial.print("unsure");
  }
  Serial.print(" in ");
  Serial.print(spent);
  Serial.println(" us");
  delay(1000);
}
