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
  int found = @name@_classify(image);
  Serial.print("class ");
  Serial.print(found);
  Serial.print(" in ");
  Serial.print(micros() - start);
  Serial.println(" us");
  delay(1000);
}
